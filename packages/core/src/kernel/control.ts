import type { StepRow } from "../state/rows.ts";
import type { RunState } from "../state/run-state.ts";
import { finish } from "./run.ts";
import { skip } from "./settle.ts";
import { stopOutside } from "./stop.ts";
import { withdraw } from "./task.ts";
import { openTimer } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { CancelCause } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * Cancel, pause, resume and the run's timeout. A first cancel stops everything but `finally`; a second stops that too, or
 * keeps it from starting. A pause withdraws queued tasks and stops every clock but those of running attempts. A rate limit
 * is no clock of the run: it counts starts in real time, paused or not.
 */

export function cancelRun(work: Work): string | null {
  const { run } = work;
  if (isTerminal(run.status)) return "the run is over";
  if (run.traceSeq === 0) return "the run does not exist";
  if (run.cancelCount > 1) return "the run was canceled twice";
  if (run.status === "paused") resumeRun(work);
  work.touchRun().cancelCount += 1;
  if (run.status === "queued") {
    skipEverything(work);
    finish(work);
    return null;
  }
  if (run.phase === "finally") {
    const last = work.plan.phases.finally;
    const row = last === null ? undefined : work.state.steps[last];
    if (run.cancelCount > 1 && row !== undefined && !isTerminal(row.status)) {
      stopOutside(work, work.step(row.step).body!, canceled);
    }
  } else {
    stopPhase(work, "run_canceled");
  }
  return null;
}

const canceled = { cause: "run_canceled", isSoft: false } as const;

/** Stops the run's own list, or the hook that runs after it. */
export function stopPhase(work: Work, cause: CancelCause): void {
  if (work.run.phase === "main") stopOutside(work, 0, { cause, isSoft: false });
  for (const hook of [work.plan.phases.onSuccess, work.plan.phases.onFailure]) {
    const row = hook === null ? undefined : work.state.steps[hook];
    if (work.run.phase === "hooks" && row !== undefined && !isTerminal(row.status)) {
      stopOutside(work, work.step(row.step).body!, { cause, isSoft: false });
    }
  }
  if (cause === "run_timeout") work.touchRun().stopCause = cause;
}

function skipEverything(work: Work): void {
  const { onSuccess, onFailure, finally: last } = work.plan.phases;
  for (const member of work.plan.scopes[0]!.members) skip(work, member, { reason: "run_canceled" });
  for (const phase of [onSuccess, onFailure, last]) if (phase !== null) skip(work, phase, { reason: "run_canceled" });
}

export function pauseRun(work: Work): string | null {
  if (work.run.status !== "running") return `the run is ${work.run.status}`;
  const run = work.touchRun();
  run.status = "paused";
  run.pausedAt = work.at;
  work.emitRun("run.paused", null);
  for (const row of allRows(work.state)) withdraw(work, row);
  return null;
}

export function resumeRun(work: Work): string | null {
  if (work.run.status !== "paused") return `the run is ${work.run.status}`;
  const run = work.touchRun();
  const lengthMs = work.at - run.pausedAt!;
  run.status = "running";
  run.pausedAt = null;
  work.emitRun("run.resumed", null);
  moveRunTimers(work, lengthMs);
  for (const row of allRows(work.state)) moveTimers(work, row, lengthMs);
  work.checkRun = true;
  return null;
}

function moveRunTimers(work: Work, lengthMs: number): void {
  const { run } = work;
  if (run.timeoutAt !== null) {
    run.timeoutAt += lengthMs;
    openTimer(work, { at: run.timeoutAt, step: -1, task: -1, kind: "timeout" });
  }
}

function moveTimers(work: Work, row: StepRow, lengthMs: number): void {
  if (isTerminal(row.status) || (row.timerAt === null && row.deadlineAt === null)) return;
  const { step, task } = work.touch(row);
  if (row.timerAt !== null) {
    row.timerAt += lengthMs;
    openTimer(work, { at: row.timerAt, step, task, kind: row.timer! });
  }
  if (row.deadlineAt !== null) {
    row.deadlineAt += lengthMs;
    const isScope = task < 0 && work.step(step).body !== null;
    openTimer(work, { at: row.deadlineAt, step, task, kind: isScope ? "timeout" : "deadline" });
  }
}

/** Every row of the run, in order of step, then item. */
export function* allRows(state: RunState): Generator<StepRow> {
  for (let step = 0; step < state.steps.length; step += 1) {
    const row = state.steps[step];
    if (row !== undefined) yield row;
    for (const item of state.maps.get(step)?.rows ?? []) if (item !== undefined) yield item;
  }
}
