import type { Definition } from "../definition/model.ts";
import type { JsonObject } from "../json.ts";
import type { LoweredAction } from "./action.ts";
import type { DraftEdge, DraftStep } from "./draft.ts";
import type { Outline } from "./outline.ts";
import type { Plan, PlanHost, PlanStep } from "./plan.ts";
import { hiddenStep, visibleStep } from "./plan-step.ts";
import { rankSteps } from "./rank.ts";
import type { CollectedReads } from "./references.ts";
import { buildScopes } from "./scopes.ts";
import type { Timeline } from "./timeline.ts";

/** Everything `compile` knows when nothing is wrong. */
export interface Parts {
  readonly definition: Definition;
  readonly outline: Outline;
  /** In their final order. */
  readonly edges: readonly DraftEdge[];
  readonly reads: CollectedReads;
  /** By step; null for hidden ones. */
  readonly actions: readonly (LoweredAction | null)[];
  readonly timeline: Timeline;
}

/** Puts a plan together. Nothing can be wrong any more. */
export function assemble({ definition, outline, edges, reads, actions, timeline }: Parts): Plan {
  const { steps, phases } = outline;
  const { scopes, bodies, memberOf, slots } = buildScopes(definition, steps, outline.main);
  const incoming = edgesByStep(edges, steps.length, "to");
  const outgoing = edgesByStep(edges, steps.length, "from");
  const readSteps = readsByStep(reads, steps.length);
  const ranks = rankSteps(steps, timeline);
  const priorities = effectivePriorities(steps);
  const planSteps = steps.map((step, index): PlanStep => {
    const facts = {
      scope: memberOf[index]!,
      slots: slots[index]!,
      body: bodies[index]!,
      incoming: incoming[index]!,
      outgoing: outgoing[index]!,
      rank: ranks[index]!,
      priority: priorities[index]!,
      reads: readSteps[index]!,
    };
    const action = actions[index];
    if (step.definition === null || action == null) return hiddenStep(step, facts);
    return visibleStep(step, { step: step.definition, action, defaults: definition.defaults }, facts);
  });
  return freeze({
    planVersion: 1,
    workflow: definition.name,
    definitionVersion: definition.definitionVersion,
    steps: planSteps,
    edges: edges.map((edge, index) => ({ index, ...edge })),
    scopes,
    hasOutput: definition.output !== undefined,
    phases: {
      onSuccess: phases.onSuccess?.index ?? null,
      onFailure: phases.onFailure?.index ?? null,
      finally: phases.finally?.index ?? null,
    },
    host: hostOf(definition),
  });
}

/** Freezes the graph. What `host` holds are parts of the definition, which are its owner's. */
function freeze(plan: Plan): Plan {
  for (const step of plan.steps) {
    Object.freeze(step.incoming);
    Object.freeze(step.outgoing);
    Object.freeze(step);
  }
  for (const scope of plan.scopes) {
    Object.freeze(scope.members);
    Object.freeze(scope);
  }
  for (const edge of plan.edges) Object.freeze(edge);
  for (const part of [plan.steps, plan.edges, plan.scopes, plan.phases]) Object.freeze(part);
  return Object.freeze(plan);
}

function hostOf(definition: Definition): PlanHost {
  return {
    description: definition.description ?? null,
    inputs: definition.inputs,
    env: definition.env,
    secrets: definition.secrets,
    output: (definition.output as PlanHost["output"] | undefined) ?? null,
    concurrency: definition.concurrency ?? null,
    priority: definition.priority,
    schedule: definition.schedule ?? null,
    types: definition.types as unknown as JsonObject,
  };
}

function edgesByStep(edges: readonly DraftEdge[], size: number, end: "from" | "to"): readonly (readonly number[])[] {
  const found: number[][] = Array.from({ length: size }, () => []);
  for (const [index, edge] of edges.entries()) found[edge[end]]!.push(index);
  return found;
}

function readsByStep({ steps }: CollectedReads, size: number): readonly (readonly number[])[] {
  const found: number[][] = Array.from({ length: size }, () => []);
  // A step's own output is at hand when its `set` is evaluated.
  for (const { reader, target } of steps) if (reader !== target) found[reader.index]!.push(target.index);
  for (const reads of found) reads.sort((a, b) => a - b);
  return found;
}

/** A member without a priority has that of the block around it; the outermost default is 0. */
function effectivePriorities(steps: readonly DraftStep[]): readonly number[] {
  const priorities: number[] = [];
  for (const { definition, list } of steps) {
    const inherited = list.owner === null ? 0 : priorities[list.owner.index]!;
    priorities.push(definition?.priority ?? inherited);
  }
  return priorities;
}
