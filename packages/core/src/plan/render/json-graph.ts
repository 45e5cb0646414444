import { isContainer, isVisibleLeaf, membersOf, ownerOf } from "../course.ts";
import { edgesOf, startLevels } from "../graph.ts";
import type { EdgeOn, EdgeOrigin, FailureMode, Plan, PlanJoin, PlanStep, RateLimit, StepKind } from "../plan.ts";

/**
 * A plan as a graph for other programs: what `braid graph --format json`, `GET /workflows/{name}/graph` and `run.started`
 * give. Ends of edges are ids of nodes or groups.
 */
export interface JsonGraph {
  readonly workflow: string;
  /** Steps that do something, in definition order. */
  readonly nodes: readonly JsonGraphNode[];
  readonly edges: readonly JsonGraphEdge[];
  /** What holds nodes, each before what it holds: blocks, groups of marked steps, and the lists beside `steps`. */
  readonly groups: readonly JsonGraphGroup[];
}

interface JsonGraphMember {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  /** Id of the group around it, or null in the main list. */
  readonly parent: string | null;
  readonly join: PlanJoin;
  /** Whether it has a `when`. */
  readonly isConditional: boolean;
  readonly onError: PlanStep["onError"];
}

export interface JsonGraphNode extends JsonGraphMember {
  readonly kind: Exclude<StepKind, "block" | "phase" | "pool">;
  /** `command`, `http`, a registered type or a function; "" for kinds without one. */
  readonly handler: string;
  readonly isMap: boolean;
  /** Label of a graph's `groupId`. */
  readonly groupId: string | null;
  /** Number of steps on the longest way to it. */
  readonly level: number;
  /** Number of steps on the longest way from it to the end, itself included. */
  readonly rank: number;
}

export interface JsonGraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly on: EdgeOn;
  readonly origin: EdgeOrigin;
  readonly port: string | null;
}

export interface JsonGraphGroup extends JsonGraphMember {
  /** `group`: neighbours marked with `parallel: true` or `parallelGroup`. */
  readonly kind: "block" | "group" | "onSuccess" | "onFailure" | "finally";
  /** Ids of the nodes and groups directly inside. */
  readonly members: readonly string[];
  readonly mode: FailureMode;
  readonly maxConcurrent: number | null;
  readonly rateLimit: RateLimit | null;
  readonly timeoutMs: number | null;
}

export function toJsonGraph(plan: Plan): JsonGraph {
  const levels = startLevels(plan);
  return {
    workflow: plan.workflow,
    nodes: plan.steps
      .filter(({ index }) => isVisibleLeaf(plan, index))
      .map((step) => nodeOf(plan, step, levels[step.index]!)),
    edges: edgesOf(plan).map(({ id, from, to, on, origin, port }) => ({
      id,
      source: from,
      target: to,
      on,
      origin,
      port,
    })),
    groups: plan.steps.filter(({ index }) => isContainer(plan, index)).map((step) => groupOf(plan, step)),
  };
}

function memberOf(plan: Plan, { index, id, name, join, onError, host }: PlanStep): JsonGraphMember {
  const owner = ownerOf(plan, index);
  return {
    id,
    name,
    description: host.description,
    parent: owner < 0 ? null : plan.steps[owner]!.id,
    join,
    isConditional: host.control.when !== undefined,
    onError,
  };
}

function nodeOf(plan: Plan, step: PlanStep, level: number): JsonGraphNode {
  const { kind, isMap, rank, host } = step;
  return {
    ...memberOf(plan, step),
    kind: kind as JsonGraphNode["kind"],
    handler: host.handler,
    isMap,
    groupId: host.groupId,
    level,
    rank,
  };
}

function groupOf(plan: Plan, step: PlanStep): JsonGraphGroup {
  const { mode, maxConcurrent, rateLimit, timeoutMs } = plan.scopes[step.body!]!;
  const members = membersOf(plan, step.index).map((member) => plan.steps[member]!.id);
  return { ...memberOf(plan, step), kind: kindOf(plan, step), members, mode, maxConcurrent, rateLimit, timeoutMs };
}

function kindOf(plan: Plan, { index, hidden }: PlanStep): JsonGraphGroup["kind"] {
  const { onSuccess, onFailure, finally: last } = plan.phases;
  if (index === onSuccess) return "onSuccess";
  if (index === onFailure) return "onFailure";
  if (index === last) return "finally";
  return hidden ? "group" : "block";
}
