import { isTerminal } from "./status.ts";
import type { SkipReason } from "./status.ts";
import type { Plan, PlanEdge } from "../plan/plan.ts";
import type { RunState } from "../state/run-state.ts";
import type { StepRow } from "../state/rows.ts";

export type EdgeState = "unresolved" | "satisfied" | "neutral" | "dead" | "cut";

/**
 * What an edge becomes when its source has settled. A pure function of the edge, the join it enters and the source's row,
 * so it is never stored.
 *
 * | edge | completed | failed, tolerated | failed | skipped by choice | lost | canceled |
 * |---|---|---|---|---|---|---|
 * | success | satisfied; neutral if its port is inactive | satisfied; neutral for any, first, quorum and ports | dead | neutral | dead | dead |
 * | order | satisfied | satisfied | dead | satisfied | dead | dead |
 * | failure | neutral | satisfied | satisfied | neutral | neutral | neutral |
 * | settled | satisfied | satisfied | satisfied | satisfied | satisfied | satisfied |
 *
 * The success and order edges of a cut step are cut. A `settled` join reads every edge as `settled`.
 */
export function resolveEdge(plan: Plan, edge: PlanEdge, source: StepRow): Exclude<EdgeState, "unresolved"> {
  const join = plan.steps[edge.to]!.join.kind;
  if (edge.on === "settled" || join === "settled") return "satisfied";
  if (edge.on === "failure") return source.status === "failed" ? "satisfied" : "neutral";
  if (source.isCut) return "cut";
  switch (source.status) {
    case "completed":
      return isPortInactive(edge, source) ? "neutral" : "satisfied";
    case "failed":
      return isTolerated(plan, source) ? tolerated(edge, join) : "dead";
    case "skipped":
      if (!isByChoice(source.skipReason!)) return "dead";
      return edge.on === "order" ? "satisfied" : "neutral";
    default:
      return "dead";
  }
}

/** The state of an edge now. */
export function edgeState(state: RunState, edge: number): EdgeState {
  const planEdge = state.plan.edges[edge]!;
  const source = state.steps[planEdge.from];
  if (source === undefined || !isTerminal(source.status)) return "unresolved";
  return resolveEdge(state.plan, planEdge, source);
}

/** The condition said no, another branch was taken, or that is true of a step before it. Every other skip is a loss. */
export const isByChoice = (reason: SkipReason): boolean =>
  reason === "condition" || reason === "branch_not_taken" || reason === "upstream_skipped";

const isTolerated = (plan: Plan, row: StepRow): boolean => plan.steps[row.step]!.onError === "continue";

function tolerated(edge: PlanEdge, join: string): "satisfied" | "neutral" {
  if (edge.on === "order") return "satisfied";
  if (edge.port !== null || join === "any" || join === "first" || join === "quorum") return "neutral";
  return "satisfied";
}

function isPortInactive(edge: PlanEdge, source: StepRow): boolean {
  return edge.port !== null && source.activePorts !== null && !source.activePorts.includes(edge.port);
}
