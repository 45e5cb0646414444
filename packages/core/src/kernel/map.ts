import type { StepRow } from "../state/rows.ts";
import { offerMap } from "./admission.ts";
import { markStarted, skipReasonOf } from "./settle.ts";
import { clearDeadline, clearTaskTimer } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { SkipReason, StepError } from "./status.ts";
import type { StopCause } from "../state/rows.ts";
import type { Work } from "./work.ts";

/**
 * A map step owns a scope whose members are its items. Items that were never admitted have no row; the owner's row
 * keeps the first of them (`nextItem`) and counts how the others ended. Items leave no `step.*` events of their own.
 */

export function itemStarted(work: Work, row: StepRow): void {
  if (row.startedAt !== null) return;
  work.touch(row).startedAt = work.at;
  markStarted(work, work.touchStep(row.step));
}

export function completeItem(work: Work, row: StepRow): void {
  work.touch(row).status = "completed";
  settleItem(work, row).completedItems += 1;
}

export function failItem(work: Work, row: StepRow, error: StepError): void {
  work.touch(row).status = "failed";
  row.error = error;
  const owner = settleItem(work, row);
  owner.failedItems += 1;
  if (owner.failedItems <= toleratedItems(work, owner)) {
    row.failure = "tolerated";
    work.touchRun().toleratedFailures += 1;
    return;
  }
  row.failure = "counted";
  owner.countedFailures += 1;
  work.stops.push(work.step(row.step).body!);
}

/** Stops an item for good: canceled if it had started, else skipped. */
export function stopItem(work: Work, row: StepRow, cause: StopCause): void {
  const hasStarted = row.startedAt !== null;
  work.touch(row).status = hasStarted ? "canceled" : "skipped";
  row.stopCause = hasStarted ? cause : null;
  row.skipReason = hasStarted ? null : skipReasonOf(cause);
  const owner = settleItem(work, row);
  if (hasStarted) owner.canceledItems += 1;
  else owner.skippedItems += 1;
}

/** Items that will never start: they keep having no row, unless they have one from an earlier epoch. */
export function skipUnstartedItems(work: Work, owner: StepRow, reason: SkipReason): void {
  const rest = owner.items! - owner.nextItem;
  if (rest === 0) return;
  skipLeftRows(work, owner, { first: owner.nextItem, reason });
  work.touch(owner).skippedItems += rest;
  owner.remaining -= rest;
  if (owner.remaining === 0) work.scopes.push(work.step(owner.step).body!);
}

/** Skips rows of an earlier epoch that this one has not come to, or has no items for. */
export function skipLeftRows(
  work: Work,
  owner: StepRow,
  { first, reason }: { readonly first: number; readonly reason: SkipReason },
): void {
  for (const row of work.state.mapState(owner.step).rows.slice(first)) {
    if (row?.status !== "pending") continue;
    work.touch(row).status = "skipped";
    row.skipReason = reason;
  }
}

/** How many items may fail without failing the map. */
function toleratedItems(work: Work, owner: StepRow): number {
  const { tolerate } = work.plan.scopes[work.step(owner.step).body!]!;
  if (tolerate === null) return 0;
  return tolerate.kind === "items" ? tolerate.value : Math.floor((owner.items! * tolerate.value) / 100);
}

function settleItem(work: Work, row: StepRow): StepRow {
  row.finishedAt = work.at;
  row.settledSeq = ++work.touchRun().settleSeq;
  row.isEvaluating = false;
  clearTaskTimer(work, row);
  clearDeadline(work, row);
  const owner = work.touchStep(row.step);
  work.state.mapState(row.step).live.delete(row.task);
  if (!isTerminal(owner.status)) {
    owner.remaining -= 1;
    if (owner.remaining === 0) work.scopes.push(work.step(row.step).body!);
  }
  offerMap(work, row.step);
  return owner;
}
