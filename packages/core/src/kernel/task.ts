import { taskRow } from "../state/run-state.ts";
import { isOnlyWithdrawn } from "../state/rows.ts";
import type { StepRow } from "../state/rows.ts";
import { offerMap, release, spendStart, want } from "./admission.ts";
import type { TaskCanceled, TaskCompleted, TaskFailed, TaskLost, TaskStarted } from "./event.ts";
import { itemStarted } from "./map.ts";
import { isRetried, retryDelay } from "./retry.ts";
import { failTask, finishTask, startDeadline, valueOf } from "./start.ts";
import { markStarted, memberCause } from "./settle.ts";
import { requestCancel, settleStopped } from "./stop.ts";
import { setTaskTimer } from "./timer.ts";
import type { CancelCause, StepError } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * The life of an attempt: ready -> queued (admitted, slots reserved) -> running -> over. An attempt is over with a result, a
 * failure, a cancel or the end of its lease; then `closeTask` is given, its slots are free, and the task is settled, waits
 * for a retry, or wants a slot again.
 */

/** Lost attempts in a row after which a task fails. */
const MAX_LOST = 3;

type TaskEvent = TaskStarted | TaskCompleted | TaskFailed | TaskCanceled | TaskLost;

/** Applies the event; answers why it was ignored, or null. */
export function taskEvent(work: Work, event: TaskEvent): string | null {
  const row = taskRow(work.state, event.step, event.task);
  if (row === undefined || row.attempt !== event.attempt) return "no such attempt";
  if (row.status !== "queued" && row.status !== "running") return "the attempt is over";
  if (event.type === "task.started" && row.status === "running") return "the attempt has started";
  work.touch(row);
  switch (event.type) {
    case "task.started":
      start(work, row);
      return null;
    case "task.completed":
      begin(work, row);
      completed(work, row, event);
      return null;
    case "task.failed":
      begin(work, row);
      failed(work, row, event);
      return null;
    case "task.canceled":
      if (event.started) begin(work, row);
      canceled(work, row, event.started);
      return null;
    case "task.lost":
      lost(work, row);
      return null;
    default:
      return event satisfies never;
  }
}

/** A result of an attempt that is still queued means that it was started, then that. */
function begin(work: Work, row: StepRow): void {
  if (row.status === "queued") start(work, row);
}

function start(work: Work, row: StepRow): void {
  row.status = "running";
  if (isOnlyWithdrawn(row.stopCause)) row.stopCause = null;
  spendStart(work, row.step);
  work.emit("task.started", row, null);
  if (row.startedAt !== null) return;
  if (row.task >= 0) itemStarted(work, row);
  else markStarted(work, row);
  startDeadline(work, row, valueOf(work, row, "deadlineMs"));
}

/** The attempt has ended: its slots and everything the host held for it are free. */
function end(work: Work, row: StepRow, wasStarted: boolean): void {
  release(work, row.step, wasStarted);
  work.command({ type: "closeTask", step: row.step, task: row.task, attempt: row.attempt });
}

function completed(work: Work, row: StepRow, event: TaskCompleted): void {
  end(work, row, true);
  row.attemptsUsed += 1;
  row.lost = 0;
  row.stopCause = null;
  work.emit("task.completed", row, null);
  finishTask(work, row, event.activePorts ?? null);
}

function failed(work: Work, row: StepRow, event: TaskFailed): void {
  end(work, row, true);
  row.attemptsUsed += 1;
  row.lost = 0;
  const cause = row.stopCause;
  if (cause !== null) {
    work.emit("task.canceled", row, { cause });
    settleStopped(work, row, cause);
    return;
  }
  work.emit("task.failed", row, { error: { ...event.error } });
  const { retry } = work.step(row.step);
  const isOver = event.retryable === false || !isRetried(retry, row.attemptsUsed, event.error);
  if (isOver || !mayTryAgain(work, row)) failTask(work, row, event.error);
  else retryLater(work, row, event.retryAfterMs);
}

function retryLater(work: Work, row: StepRow, asked: number | undefined): void {
  const { retry } = work.step(row.step);
  const seed = `${work.state.runId}/${row.step}/${row.task}/${row.attempt}`;
  const delayMs = asked ?? retryDelay(retry, row.attemptsUsed, seed);
  work.emit("step.retrying", row, { delayMs });
  if (delayMs <= 0) {
    wantAgain(work, row);
    return;
  }
  row.status = "waiting";
  setTaskTimer(work, row, { kind: "retry", delayMs });
}

/** The task asks for a slot for its next attempt. */
export function wantAgain(work: Work, row: StepRow): void {
  work.touch(row).status = "ready";
  if (row.task < 0) {
    want(work.state, row.step);
  } else {
    work.state.mapState(row.step).ready.push(row.task);
    offerMap(work, row.step);
  }
}

function canceled(work: Work, row: StepRow, wasStarted: boolean): void {
  end(work, row, wasStarted);
  const cause = row.stopCause;
  if (wasStarted) work.emit("task.canceled", row, { cause });
  else row.attempt -= 1;
  if (cause !== null && !isOnlyWithdrawn(cause)) {
    settleStopped(work, row, cause);
    return;
  }
  // Withdrawn by a pause, or given up by a worker that is leaving: the task is as before.
  row.stopCause = null;
  if (cause !== "scope_stopped" && mayTryAgain(work, row)) wantAgain(work, row);
  else settleStopped(work, row, causeOfStop(work, row));
}

function lost(work: Work, row: StepRow): void {
  begin(work, row);
  end(work, row, true);
  row.lost += 1;
  work.emit("task.lost", row, null);
  const cause = row.stopCause;
  if (cause !== null) settleStopped(work, row, cause);
  else if (row.lost > MAX_LOST) failTask(work, row, lostLease(row));
  else if (mayTryAgain(work, row)) wantAgain(work, row);
  else settleStopped(work, row, causeOfStop(work, row));
}

const lostLease = (row: StepRow): StepError => ({
  code: "lost_lease",
  message: `The worker was lost ${row.lost} times in a row; the last was attempt ${row.attempt}.`,
});

/** Why a task ends that may not be tried again: the cause that its stopped scope gives to members. */
function causeOfStop(work: Work, row: StepRow): CancelCause {
  const step = work.step(row.step);
  const scope = row.task >= 0 && work.state.steps[row.step]!.stop !== "none" ? step.body! : step.scope;
  const { owner } = work.plan.scopes[scope]!;
  const { stop, stopCause } = owner < 0 ? work.run : work.state.steps[owner]!;
  return stop === "outside_soft" || stop === "outside" ? memberCause(stopCause as CancelCause) : "scope_failed";
}

/** In a scope that has stopped no further attempt starts, except of members that may go on. */
export function mayTryAgain(work: Work, row: StepRow): boolean {
  const step = work.step(row.step);
  if (row.task >= 0 && work.state.steps[row.step]!.stop !== "none") return false;
  const { owner } = work.plan.scopes[step.scope]!;
  const stop = owner < 0 ? work.run.stop : work.state.steps[owner]!.stop;
  if (stop === "none") return true;
  if (stop === "outside" || stop === "outside_soft") return false;
  return work.state.index.isRescuer[row.step]!;
}

/** Pausing withdraws what is queued; what was claimed meanwhile goes on. */
export function withdraw(work: Work, row: StepRow): void {
  if (row.status === "queued" && row.stopCause === null) requestCancel(work, row, "withdrawn");
}
