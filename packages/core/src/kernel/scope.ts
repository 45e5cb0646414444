import type { StepRow } from "../state/rows.ts";
import { complete, fail, stopped } from "./settle.ts";
import { isTerminal } from "./status.ts";
import type { CancelCause, StepError } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * The end of a block, group, phase or map: when all its members have settled, it settles as a step of the scope around
 * it. Stopped from outside it is canceled (by its own timeout: failed); otherwise it failed if a failure counted.
 */
export function settleScope(work: Work, scopeIndex: number): void {
  const scope = work.plan.scopes[scopeIndex]!;
  if (scope.owner < 0) {
    work.checkRun = true;
    return;
  }
  const row = work.state.steps[scope.owner];
  if (row === undefined || isTerminal(row.status) || row.remaining > 0) return;
  if (!closeFailures(work, scope.members)) return;
  if (row.stop === "outside" || row.stop === "outside_soft") endStopped(work, row);
  else if (row.countedFailures > 0) fail(work, row, scopeFailed(work, row));
  else complete(work, row);
}

function endStopped(work: Work, row: StepRow): void {
  if (row.stopCause === "scope_timeout" && row.error !== null) fail(work, row, row.error);
  else stopped(work, row, row.stopCause as CancelCause);
}

/**
 * Failures that never reached an end were made up for. False while one waits for a handler outside the group: the group
 * cannot settle before that handler has started or was skipped.
 */
export function closeFailures(work: Work, members: readonly number[]): boolean {
  const open: StepRow[] = [];
  for (const member of members) {
    const row = work.state.steps[member];
    if (row?.failure === "pending") return false;
    if (row?.failure === "open") open.push(row);
  }
  for (const row of open) {
    work.touch(row).failure = "tolerated";
    work.touchRun().toleratedFailures += 1;
  }
  return true;
}

function scopeFailed(work: Work, row: StepRow): StepError {
  const step = work.step(row.step);
  if (step.isMap) {
    const message = `${row.failedItems} of ${row.items} items of \`${step.id}\` failed.`;
    return { code: "scope_failed", message };
  }
  const first = firstCounted(work, work.plan.scopes[step.body!]!.members);
  const name = first === null ? "a step" : `\`${work.step(first.step).id}\``;
  const why = first?.error?.message ?? "";
  return { code: "scope_failed", message: `${name} failed: ${why}` };
}

/** The member whose failure counted and that settled first. */
function firstCounted(work: Work, members: readonly number[]): StepRow | null {
  let first: StepRow | null = null;
  for (const member of members) {
    const row = work.state.steps[member];
    if (row?.failure === "counted" && (first === null || row.settledSeq < first.settledSeq)) first = row;
  }
  return first;
}
