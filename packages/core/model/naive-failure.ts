import { edgeOf, needsOf } from "./naive-edges.ts";
import { isSettled } from "./naive-state.ts";
import type { NaiveState, NaiveStep } from "./naive-state.ts";

/**
 * Judges every failed step anew: whether its failure is handled, may still be, or has reached the end of a branch. What has
 * counted or was handled stays so.
 */
export function judgeFailures(state: NaiveState): void {
  for (const step of state.steps) {
    if (step.failure !== "pending" && step.failure !== "open") continue;
    step.failure = judge(state, step);
    if (step.failure === "counted") state.stops.push(step.plan.scope);
  }
}

function judge(state: NaiveState, failed: NaiveStep): NaiveStep["failure"] {
  const handlers = failed.plan.outgoing
    .map((index) => state.plan.edges[index]!)
    .filter(({ on }) => on === "failure")
    .map(({ to }) => state.steps[to]!);
  if (handlers.some((handler) => handler.isStarted)) return "handled";
  if (handlers.some((handler) => !isSettled(handler))) return "pending";
  return hasReachedEnd(state, failed) ? "counted" : "open";
}

/** Follows the branch of a failed step, and of the steps lost because of it, along its dead edges. */
function hasReachedEnd(state: NaiveState, step: NaiveStep): boolean {
  const needs = needsOf(state, step);
  if (needs.length === 0) return true;
  return needs.some((edge) => {
    if (edgeOf(state, edge) !== "dead") return false;
    const target = state.steps[edge.to]!;
    // A join that has fired, or still can, is not taken down.
    if (!isSettled(target) || target.firedOrder > 0) return false;
    return target.settledOrder < step.settledOrder || hasReachedEnd(state, target);
  });
}
