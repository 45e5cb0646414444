import { taskRow } from "../state/run-state.ts";
import type { StepRow } from "../state/rows.ts";
import type { ChildSettled, SignalReceived, TimerFired } from "./event.ts";
import { stopPhase } from "./control.ts";
import { retryDelay, isRetried } from "./retry.ts";
import { becomeReady, failTask, finishTask, startWithoutSlot } from "./start.ts";
import { forgetSignal, settleStopped, stopForDeadline, stopOutside } from "./stop.ts";
import { mayTryAgain, wantAgain } from "./task.ts";
import { setTaskTimer } from "./timer.ts";
import type { StepError } from "./status.ts";
import type { Work } from "./work.ts";

/** What ends a wait: a timer, a signal, a child run. */

export function timerFired(work: Work, event: TimerFired): string | null {
  if (work.run.pausedAt !== null) return "the run is paused";
  if (event.step < 0) return runTimerFired(work, event);
  const row = taskRow(work.state, event.step, event.task);
  if (row === undefined) return "no such timer";
  switch (event.timer) {
    case "rate":
      if (row.rateAt === null || row.rateAt > work.at) return "no such timer";
      work.touch(row).rateAt = null;
      return null;
    case "deadline":
    case "timeout":
      if (row.deadlineAt === null || row.deadlineAt > work.at) return "no such timer";
      work.touch(row).deadlineAt = null;
      if (event.timer === "deadline") stopForDeadline(work, row);
      else scopeTimedOut(work, row);
      return null;
    default:
      if (row.timer !== event.timer || row.timerAt === null || row.timerAt > work.at) return "no such timer";
      return taskTimerFired(work, row, event.timer);
  }
}

function runTimerFired(work: Work, event: TimerFired): string | null {
  const { run } = work;
  if (event.timer === "rate") {
    if (run.rateAt === null || run.rateAt > work.at) return "no such timer";
    work.touchRun().rateAt = null;
    return null;
  }
  if (run.timeoutAt === null || run.timeoutAt > work.at) return "no such timer";
  work.touchRun().timeoutAt = null;
  stopPhase(work, "run_timeout");
  return null;
}

/** A scope that runs out of time has failed, whatever its members still report. A hard stop before has cleared the timer. */
function scopeTimedOut(work: Work, row: StepRow): void {
  const step = work.step(row.step);
  row.error = { code: "timeout", message: `\`${step.name}\` did not end before its timeout.` };
  stopOutside(work, step.body!, { cause: "scope_timeout", isSoft: false, passedOn: "scope_timeout" });
}

function taskTimerFired(work: Work, row: StepRow, timer: "delay" | "retry" | "sleep"): null {
  work.touch(row).timer = null;
  row.timerAt = null;
  if (timer === "delay") becomeReady(work, row);
  else if (timer === "sleep") finishTask(work, row);
  else if (work.step(row.step).kind === "task") wantAgain(work, row);
  else startWithoutSlot(work, row);
  return null;
}

export function signalReceived(work: Work, event: SignalReceived): string | null {
  const row = taskRow(work.state, event.step, event.task);
  if (row === undefined || row.status !== "waiting" || row.signal !== event.name) return "no step waits for it";
  forgetSignal(work, row);
  if (event.verdict === "rejected") {
    failTask(work, row, { code: "rejected", message: event.message ?? "The approval was rejected." });
  } else {
    finishTask(work, row);
  }
  return null;
}

export function childSettled(work: Work, event: ChildSettled): string | null {
  const row = taskRow(work.state, event.step, event.task);
  const isWaiting = row?.status === "waiting" && row.timer === null && row.attempt === event.attempt;
  if (row === undefined || !isWaiting || work.step(event.step).kind !== "child") return "no step waits for it";
  work.touch(row).attemptsUsed += 1;
  if (event.status === "completed") {
    row.stopCause = null;
    finishTask(work, row);
    return null;
  }
  if (row.stopCause !== null) {
    settleStopped(work, row, row.stopCause);
    return null;
  }
  const code = event.status === "canceled" ? "child_canceled" : "child_failed";
  childFailed(work, row, { code, message: event.message ?? `The child run ended ${event.status}.` });
  return null;
}

function childFailed(work: Work, row: StepRow, error: StepError): void {
  const { retry } = work.step(row.step);
  if (!isRetried(retry, row.attemptsUsed, error) || !mayTryAgain(work, row)) {
    failTask(work, row, error);
    return;
  }
  const seed = `${work.state.runId}/${row.step}/${row.task}/${row.attempt}`;
  const delayMs = retryDelay(retry, row.attemptsUsed, seed);
  work.emit("step.retrying", row, { delayMs });
  setTaskTimer(work, row, { kind: "retry", delayMs });
}
