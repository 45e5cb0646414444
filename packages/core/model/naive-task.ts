import type {
  ChildSettled,
  SignalReceived,
  TaskCanceled,
  TaskCompleted,
  TaskFailed,
  TaskLost,
  TaskStarted,
} from "../src/kernel/event.ts";
import { complete, fail, settleStopped, start } from "./naive-settle.ts";
import { failAttempt, loseAttempt, useUp, wantAgain } from "./naive-start.ts";
import type { NaiveState, NaiveTask } from "./naive-state.ts";
import { isChild } from "./naive-stop.ts";

type TaskEvent = TaskStarted | TaskCompleted | TaskFailed | TaskCanceled | TaskLost;

export function taskOf(state: NaiveState, { step, task }: { step: number; task: number }): NaiveTask | undefined {
  return task === -1 ? state.steps[step] : state.steps[step]?.items?.[task];
}

/** Whether the task was told to stop for good. */
const isStopped = (task: NaiveTask): boolean => task.cause !== null && task.cause !== "withdrawn";

/** Applies a report of an attempt; false when it is stale. */
export function taskEvent(state: NaiveState, event: TaskEvent): boolean {
  const task = taskOf(state, event);
  if (task === undefined || task.attempt !== event.attempt || task.plan.kind !== "task") return false;
  if (task.status !== "queued" && task.status !== "running") return false;
  if (event.type === "task.started" && task.status !== "queued") return false;
  if (event.type === "task.canceled" && !event.started) {
    if (task.status !== "queued" || task.cause === null) return false;
    withdrawn(state, task);
    return true;
  }
  if (task.status === "queued") claimed(state, task);
  end(state, task, event);
  return true;
}

function claimed(state: NaiveState, task: NaiveTask): void {
  task.status = "running";
  start(state, task);
  if (task.cause === "withdrawn") task.cause = null;
  task.withdrawnFor = null;
  for (let scope = task.plan.slots; scope >= 0; scope = state.plan.scopes[scope]!.parent) {
    const { rateLimit } = state.plan.scopes[scope]!;
    if (rateLimit === null) continue;
    const one = state.scopes[scope]!;
    one.arrival = Math.max(one.arrival, state.run.at) + rateLimit.perMs / rateLimit.count;
  }
}

/** An attempt that was withdrawn from the queue was none. */
function withdrawn(state: NaiveState, task: NaiveTask): void {
  task.attempt -= 1;
  const { cause, withdrawnFor } = task;
  task.withdrawnFor = null;
  if (cause !== "withdrawn") settleStopped(state, task, cause!);
  else if (withdrawnFor !== null) settleStopped(state, task, withdrawnFor);
  else {
    task.cause = null;
    wantAgain(state, task);
  }
}

function end(state: NaiveState, task: NaiveTask, event: TaskEvent): void {
  switch (event.type) {
    case "task.started":
      return;
    case "task.completed":
      useUp(task);
      complete(state, task, event.activePorts ?? null);
      return;
    case "task.failed":
      useUp(task);
      if (isStopped(task)) settleStopped(state, task, task.cause!);
      else {
        const { error, retryable, retryAfterMs } = event;
        failAttempt(state, task, { error, isRetryable: retryable !== false, retryAfterMs });
      }
      return;
    case "task.canceled":
      settleStopped(state, task, task.cause!);
      return;
    case "task.lost":
      task.lost += 1;
      if (isStopped(task)) settleStopped(state, task, task.cause!);
      else loseAttempt(state, task);
      return;
    default:
      event satisfies never;
  }
}

export function signalReceived(state: NaiveState, event: SignalReceived): boolean {
  const task = taskOf(state, event);
  if (task === undefined || task.status !== "waiting" || task.timer !== null) return false;
  const { kind, id } = task.plan;
  if (kind !== "signal" && kind !== "approval") return false;
  const name = task.signal ?? state.steps[event.step]!.signal ?? task.plan.signal ?? id;
  if (name !== event.name) return false;
  if (event.verdict === "rejected") fail(state, task, { code: "rejected", message: "" });
  else complete(state, task);
  return true;
}

export function childSettled(state: NaiveState, event: ChildSettled): boolean {
  const task = taskOf(state, event);
  if (task === undefined || !isChild(task) || task.attempt !== event.attempt) return false;
  useUp(task);
  if (event.status === "completed") complete(state, task);
  else if (isStopped(task)) settleStopped(state, task, task.cause!);
  else {
    const code = event.status === "failed" ? "child_failed" : "child_canceled";
    failAttempt(state, task, { error: { code, message: "" }, isRetryable: true });
  }
  return true;
}
