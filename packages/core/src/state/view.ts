import { edgeState } from "../kernel/edge.ts";
import type { StepStatus } from "../kernel/status.ts";
import type { RunState } from "./run-state.ts";
import type { StepRow } from "./rows.ts";

/** What every surface shows of a row; a step without one is pending. */
export function stepStatus(row: StepRow | undefined): StepStatus {
  if (row === undefined) return "pending";
  return row.status === "queued" ? "ready" : row.status;
}

/**
 * The steps this one sees (`steps`, `deps`, `context`): each source that had settled when its join fired, and what that source saw;
 * inside a block also what the block sees, and of a source that is a block its members. Hooks and `finally` see every
 * step that has settled. In definition order.
 */
export function visibleSteps(state: RunState, step: number): readonly number[] {
  const seen = new Set<number>();
  const visited = new Set<number>();
  const open: number[] = [step];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (visited.has(next)) continue;
    visited.add(next);
    for (const source of sourcesSeen(state, next)) {
      if (seen.has(source)) continue;
      seen.add(source);
      open.push(source, ...membersOf(state, source, seen));
    }
    const { owner } = state.plan.scopes[state.plan.steps[next]!.scope]!;
    if (owner < 0) continue;
    if (state.plan.steps[owner]!.kind === "phase") addSettled(state, owner, seen);
    else open.push(owner);
  }
  seen.delete(step);
  return [...seen].toSorted((a, b) => a - b);
}

/** Everything that had settled before the phase began. */
function addSettled(state: RunState, phase: number, seen: Set<number>): void {
  for (const row of state.steps) {
    if (
      row !== undefined &&
      row.settledSeq > 0 &&
      state.plan.steps[row.step]!.scope !== state.plan.steps[phase]!.body
    ) {
      seen.add(row.step);
    }
  }
}

function sourcesSeen(state: RunState, step: number): readonly number[] {
  const row = state.steps[step];
  // One that was skipped without having fired saw what had settled before that.
  const decidedAt = row?.firedSeq || row?.settledSeq || Infinity;
  const sources: number[] = [];
  for (const index of state.plan.steps[step]!.incoming) {
    const { from } = state.plan.edges[index]!;
    const source = state.steps[from];
    if (source === undefined || source.settledSeq === 0 || edgeState(state, index) === "unresolved") continue;
    if (source.settledSeq <= decidedAt) sources.push(from);
  }
  return sources;
}

/** Members of a block that has settled, at any depth. */
function membersOf(state: RunState, step: number, seen: Set<number>): readonly number[] {
  const { body, isMap } = state.plan.steps[step]!;
  if (body === null || isMap) return [];
  const found: number[] = [];
  for (const member of state.plan.scopes[body]!.members) {
    if (seen.has(member)) continue;
    seen.add(member);
    found.push(member, ...membersOf(state, member, seen));
  }
  return found;
}
