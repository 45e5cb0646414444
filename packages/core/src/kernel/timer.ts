import { isTimerOpen } from "../state/run-state.ts";
import type { RunState, Timer } from "../state/run-state.ts";
import type { StepRow } from "../state/rows.ts";
import type { RunEvent } from "./event.ts";
import type { Work } from "./work.ts";

/**
 * Timers are fields of rows: `timer`/`timerAt` of a task (delay, retry, sleep), `deadlineAt` (deadline of a step, timeout
 * of a scope), `rateAt` (a scope that waits for its rate limit) and `timeoutAt` of the run. A heap over them finds the
 * earliest; entries whose row has changed its mind are dropped when they come up.
 */

/** While the run is paused its clocks stand still: a delay that begins now is counted from the instant of the pause. */
const clockOf = (work: Work): number => work.run.pausedAt ?? work.at;

export function setTaskTimer(
  work: Work,
  row: StepRow,
  timer: { kind: "delay" | "retry" | "sleep"; delayMs: number },
): number {
  const at = clockOf(work) + timer.delayMs;
  work.touch(row);
  row.timer = timer.kind;
  row.timerAt = at;
  openTimer(work, { at, step: row.step, task: row.task, kind: timer.kind });
  return at;
}

export function clearTaskTimer(work: Work, row: StepRow): void {
  if (row.timer === null) return;
  work.touch(row);
  work.command({ type: "clearTimer", step: row.step, task: row.task, timer: row.timer });
  row.timer = null;
  row.timerAt = null;
}

/** Starts the deadline of a task, or the timeout of the scope that the row owns. */
export function setDeadline(work: Work, row: StepRow, limitMs: number): void {
  const at = clockOf(work) + limitMs;
  work.touch(row).deadlineAt = at;
  openTimer(work, { at, step: row.step, task: row.task, kind: deadlineKind(work, row) });
}

export function clearDeadline(work: Work, row: StepRow): void {
  if (row.deadlineAt === null) return;
  work.touch(row);
  work.command({ type: "clearTimer", step: row.step, task: row.task, timer: deadlineKind(work, row) });
  row.deadlineAt = null;
}

/** The scope that the row owns does not wait for its rate limit any more. */
export function clearRate(work: Work, row: StepRow): void {
  if (row.rateAt === null) return;
  work.touch(row).rateAt = null;
  work.command({ type: "clearTimer", step: row.step, task: row.task, timer: "rate" });
}

const deadlineKind = (work: Work, row: StepRow): "deadline" | "timeout" =>
  row.task >= 0 || work.step(row.step).body === null ? "deadline" : "timeout";

export function openTimer(work: Work, timer: Timer): void {
  work.state.timers.push(timer);
  work.command({ type: "setTimer", step: timer.step, task: timer.task, timer: timer.kind, at: timer.at });
}

/** The instant of the earliest open timer, or null. A paused run has none. */
export function nextWake(state: RunState): number | null {
  if (state.run.pausedAt !== null) return null;
  for (;;) {
    const timer = state.timers.top();
    if (timer === undefined) return null;
    if (isTimerOpen(state, timer)) return timer.at;
    state.timers.pop();
  }
}

/** The `timer.fired` events of all timers that have come, earliest first. Apply them in order. */
export function dueTimers(state: RunState, now: number): RunEvent[] {
  const events: RunEvent[] = [];
  if (state.run.pausedAt !== null) return events;
  const taken: Timer[] = [];
  for (;;) {
    const timer = state.timers.top();
    if (timer === undefined || timer.at > now) break;
    state.timers.pop();
    // A timer that was opened again for the same instant stands in the heap twice, side by side.
    if (!isTimerOpen(state, timer) || isSameTimer(timer, taken.at(-1))) continue;
    taken.push(timer);
    events.push({ type: "timer.fired", at: now, step: timer.step, task: timer.task, timer: timer.kind });
  }
  // Asking changes nothing: the events may never be applied, or their commit may be refused.
  for (const timer of taken) state.timers.push(timer);
  return events;
}

const isSameTimer = (a: Timer, b: Timer | undefined): boolean =>
  b !== undefined && a.at === b.at && a.step === b.step && a.task === b.task && a.kind === b.kind;
