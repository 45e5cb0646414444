import { incomingOf } from "./naive-edges.ts";
import { isSettled, stepsInside } from "./naive-state.ts";
import type { NaiveState, NaiveStep } from "./naive-state.ts";

/**
 * What a step sees: each source that had settled when its join fired, and what that source saw; of a source that is a
 * block its members; inside a block also what the block sees; in a hook or `finally` everything before.
 */
export function sightOf(state: NaiveState, step: NaiveStep): readonly number[] {
  const seen = new Set<number>();
  look(state, step, { seen, visited: new Set() });
  seen.delete(step.plan.index);
  return [...seen].toSorted((a, b) => a - b);
}

interface Sight {
  readonly seen: Set<number>;
  readonly visited: Set<number>;
}

function look(state: NaiveState, step: NaiveStep, sight: Sight): void {
  const { seen, visited } = sight;
  if (visited.has(step.plan.index)) return;
  visited.add(step.plan.index);
  const until = step.firedOrder > 0 ? step.firedOrder : step.settledOrder;
  for (const { from } of incomingOf(state, step)) {
    const source = state.steps[from]!;
    if (!isSettled(source) || source.settledOrder > until) continue;
    for (const one of [from, ...stepsInside(state, from)]) {
      seen.add(one);
      look(state, state.steps[one]!, sight);
    }
  }
  const { owner, index } = state.plan.scopes[step.plan.scope]!;
  if (owner < 0) return;
  if (state.plan.steps[owner]!.kind !== "phase") {
    look(state, state.steps[owner]!, sight);
    return;
  }
  for (const other of state.steps) {
    if (isSettled(other) && other.plan.scope !== index) seen.add(other.plan.index);
  }
}
