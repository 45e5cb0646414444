import type { PlanScope } from "../plan/plan.ts";
import { isOnlyWithdrawn } from "../state/rows.ts";
import type { RunRow, StepRow, StopCause, StopState } from "../state/rows.ts";
import { offerMap, unwant } from "./admission.ts";
import { isRescued } from "./join.ts";
import { failItem, skipLeftRows, skipUnstartedItems, stopItem } from "./map.ts";
import { fail, memberCause, skip, skipReasonOf, stopped } from "./settle.ts";
import { clearDeadline } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { CancelCause } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * Stopping. A scope stops
 * - from inside, when a failure counts: `fail_all` stops its running members, `complete_running` ("soft") lets running
 *   attempts and child runs finish; members with a failure or settled edge go on and may still start;
 * - from outside (its timeout, a cancel, a stopping parent, a lost race): every member, and nothing more starts.
 *
 * What has no running code settles at once. A running or queued attempt is asked to stop and keeps its step and its slots
 * until the host reports.
 */

const LEVEL: Record<StopState, number> = { none: 0, inside_soft: 1, inside: 2, outside_soft: 3, outside: 4 };

/**
 * Why something is stopped, and whether running attempts and child runs may finish. `passedOn`: the cause that members of a
 * scope are given, where it is not that their parent stopped.
 */
export interface Stop {
  readonly cause: CancelCause;
  readonly isSoft: boolean;
  readonly passedOn?: CancelCause;
}

/** A failure counted in the scope: its mode decides. */
export function stopInside(work: Work, scopeIndex: number): void {
  const scope = work.plan.scopes[scopeIndex]!;
  const mode = scopeIndex === 0 ? (work.run.mode ?? scope.mode) : scope.mode;
  if (mode === "continue") return;
  const isSoft = mode === "complete_running";
  const previous = raise(work, scope, isSoft ? "inside_soft" : "inside");
  if (previous === null) return;
  const stop: Stop = { cause: "scope_failed", isSoft };
  if (scope.kind === "map") {
    stopItems(work, work.touchStep(scope.owner), { ...stop, skipsRest: previous === "none" });
    return;
  }
  for (const member of scope.members) {
    if (!mayGoOn(work, member)) stopMember(work, member, stop);
  }
}

/** Members with a failure or settled edge are left alone, unless they fired without such an edge and have not started. */
function mayGoOn(work: Work, member: number): boolean {
  if (!work.state.index.isRescuer[member]) return false;
  const row = work.state.steps[member];
  if (row === undefined || row.firedSeq === 0 || row.startedAt !== null) return true;
  return isRescued(work, work.step(member));
}

/** Stops a scope from outside; a later, harder stop overrules a softer one. */
export function stopOutside(work: Work, scopeIndex: number, stop: Stop): void {
  const scope = work.plan.scopes[scopeIndex]!;
  const previous = raise(work, scope, stop.isSoft ? "outside_soft" : "outside");
  if (previous === null) return;
  const owner: RunRow | StepRow = scope.owner < 0 ? work.run : work.state.steps[scope.owner]!;
  owner.stopCause = stop.cause;
  if (!stop.isSoft && owner !== work.run) clearDeadline(work, owner as StepRow);
  const inner: Stop = { cause: stop.passedOn ?? memberCause(stop.cause), isSoft: stop.isSoft };
  if (scope.kind === "map") {
    stopItems(work, work.touchStep(scope.owner), { ...inner, skipsRest: previous === "none" });
  } else {
    for (const member of scope.members) stopMember(work, member, inner);
  }
}

/** Raises the stop level of a scope and gives the level before, or null where it is no higher than that. */
function raise(work: Work, scope: PlanScope, stop: StopState): StopState | null {
  const owner: RunRow | StepRow = scope.owner < 0 ? work.touchRun() : work.touchStep(scope.owner);
  const previous = owner.stop;
  if (LEVEL[previous] >= LEVEL[stop]) return null;
  owner.stop = stop;
  return previous;
}

/** Stops one step, whatever it is doing. */
export function stopMember(work: Work, step: number, stop: Stop): void {
  const row = work.state.steps[step];
  if (row === undefined || row.status === "pending") {
    skip(work, step, { reason: skipReasonOf(stop.cause) });
    return;
  }
  if (isTerminal(row.status)) return;
  const { body, isMap } = work.step(step);
  if (body !== null && row.status !== "waiting") {
    stopOutside(work, body, stop);
    return;
  }
  // A block or map that waits for its start delay has not been entered: it is stopped like a task.
  if (isMap) skipLeftRows(work, row, { first: 0, reason: skipReasonOf(stop.cause) });
  stopTask(work, row, stop);
}

/** Stops an ordinary step or an item of a map. */
function stopTask(work: Work, row: StepRow, { cause, isSoft }: Stop): void {
  if (row.stopCause !== null && !isOnlyWithdrawn(row.stopCause)) return;
  switch (row.status) {
    case "queued":
      // Its code may be running already: a soft stop takes it only out of the queue.
      if (!isSoft || row.stopCause !== "scope_stopped") requestCancel(work, row, isSoft ? "scope_stopped" : cause);
      return;
    case "running":
      if (!isSoft) requestCancel(work, row, cause);
      return;
    case "waiting":
      stopWaiting(work, row, { cause, isSoft });
      return;
    case "ready":
      if (row.task < 0) unwant(work.state, row.step);
      settleStopped(work, row, cause);
      return;
    default:
      settleStopped(work, row, cause);
  }
}

function stopWaiting(work: Work, row: StepRow, { cause, isSoft }: { cause: StopCause; isSoft: boolean }): void {
  const { kind } = work.step(row.step);
  if (kind === "child" && row.timer === null) {
    if (isSoft || row.stopCause !== null) return;
    work.touch(row).stopCause = cause;
    work.command({ type: "cancelChild", step: row.step, task: row.task, attempt: row.attempt });
    return;
  }
  forgetSignal(work, row);
  settleStopped(work, row, cause);
}

/** The step waits for a signal no longer. */
export function forgetSignal(work: Work, row: StepRow): void {
  if (row.signal === null) return;
  work.command({ type: "forgetSignal", step: row.step, task: row.task, name: row.signal });
  work.touch(row).signal = null;
}

export function requestCancel(work: Work, row: StepRow, cause: StopCause): void {
  work.touch(row).stopCause = cause;
  const { step, task, attempt } = row;
  work.command({ type: "cancelTask", step, task, attempt, cause, ifQueued: isOnlyWithdrawn(cause) });
}

/** Stops what a step or item is waiting for because of its deadline. */
export function stopForDeadline(work: Work, row: StepRow): void {
  if (row.stopCause !== null && !isOnlyWithdrawn(row.stopCause)) return;
  if (row.status === "queued" || row.status === "running") requestCancel(work, row, "deadline");
  else if (row.status === "waiting") stopWaiting(work, row, { cause: "deadline", isSoft: false });
  else {
    if (row.status === "ready" && row.task < 0) unwant(work.state, row.step);
    settleStopped(work, row, "deadline");
  }
}

/** What was asked to stop has stopped. A deadline makes it a failure. */
export function settleStopped(work: Work, row: StepRow, cause: StopCause): void {
  if (cause === "deadline") {
    const id = work.step(row.step).id;
    const error = { code: "timeout", message: `Step \`${id}\` did not end in time.` };
    if (row.task >= 0) failItem(work, row, error);
    else fail(work, row, error);
  } else if (row.task >= 0) stopItem(work, row, cause);
  else stopped(work, row, cause);
}

/** `skipsRest`: the scope had not stopped before, so items that never started are still to be counted as skipped. */
function stopItems(work: Work, owner: StepRow, stop: Stop & { readonly skipsRest: boolean }): void {
  if (stop.skipsRest) skipUnstartedItems(work, owner, skipReasonOf(stop.cause));
  const live = [...work.state.mapState(owner.step).live].toSorted((a, b) => a - b);
  for (const item of live) stopTask(work, work.touchItem(owner.step, item), stop);
  offerMap(work, owner.step);
}
