import type { EdgeState } from "../src/kernel/edge.ts";
import type { SkipReason } from "../src/kernel/status.ts";
import type { PlanEdge } from "../src/plan/plan.ts";
import { isSettled } from "./naive-state.ts";
import type { NaiveState, NaiveStep } from "./naive-state.ts";

const BY_CHOICE: ReadonlySet<SkipReason | null> = new Set(["condition", "branch_not_taken", "upstream_skipped"]);

/** The table of edges, read from what became of the source. */
export function edgeOf(state: NaiveState, edge: PlanEdge): EdgeState {
  const source = state.steps[edge.from]!;
  const { join } = state.plan.steps[edge.to]!;
  if (!isSettled(source)) return "unresolved";
  if (edge.on === "settled" || join.kind === "settled") return "satisfied";
  if (edge.on === "failure") return source.status === "failed" ? "satisfied" : "neutral";
  if (source.isCut) return "cut";
  const isOrder = edge.on === "order";
  switch (source.status) {
    case "completed": {
      const isActive = edge.port === null || source.activePorts === null || source.activePorts.includes(edge.port);
      return isActive ? "satisfied" : "neutral";
    }
    case "failed": {
      if (source.plan.onError !== "continue") return "dead";
      if (isOrder) return "satisfied";
      return edge.port !== null || ["any", "first", "quorum"].includes(join.kind) ? "neutral" : "satisfied";
    }
    case "skipped":
      if (!BY_CHOICE.has(source.skipReason)) return "dead";
      return isOrder ? "satisfied" : "neutral";
    default:
      return "dead";
  }
}

export function incomingOf(state: NaiveState, step: NaiveStep): PlanEdge[] {
  return step.plan.incoming.map((index) => state.plan.edges[index]!);
}

/** Edges by which another step needs this one: success and order edges, but not into a join that reads them as `settled`. */
export function needsOf(state: NaiveState, step: NaiveStep): PlanEdge[] {
  return step.plan.outgoing
    .map((index) => state.plan.edges[index]!)
    .filter(({ on, to }) => (on === "success" || on === "order") && state.plan.steps[to]!.join.kind !== "settled");
}

/** Whether an edge may start a member of a scope that has stopped. */
export function isRescue(state: NaiveState, edge: PlanEdge): boolean {
  return edge.on === "failure" || edge.on === "settled" || state.plan.steps[edge.to]!.join.kind === "settled";
}

export type Decision = "wait" | "fire" | { readonly reason: SkipReason; readonly isCut: boolean };

/** The table of joins. */
export function decide(state: NaiveState, step: NaiveStep): Decision {
  const edges = incomingOf(state, step);
  const states = edges.map((edge) => edgeOf(state, edge));
  const count = (wanted: EdgeState): number => states.filter((one) => one === wanted).length;
  const satisfied = count("satisfied");
  const unresolved = count("unresolved");
  const isSkipped = edges.some(({ from }) => state.steps[from]!.status === "skipped");
  const lose = (): Decision => {
    if (count("dead") > 0) return { reason: "upstream_failed", isCut: false };
    if (count("cut") > 0) return { reason: "upstream_skipped", isCut: true };
    return { reason: isSkipped ? "upstream_skipped" : "branch_not_taken", isCut: false };
  };
  const { kind, quorum } = step.plan.join;
  switch (kind) {
    case "all":
      if (count("dead") + count("cut") > 0) return lose();
      if (unresolved > 0) return "wait";
      return edges.length === 0 || satisfied > 0 ? "fire" : lose();
    case "any":
    case "first":
      if (satisfied > 0) return "fire";
      return unresolved > 0 ? "wait" : lose();
    case "quorum":
      if (satisfied >= quorum) return "fire";
      return satisfied + unresolved < quorum ? lose() : "wait";
    case "settled":
      return unresolved > 0 ? "wait" : "fire";
    default:
      return kind satisfies never;
  }
}
