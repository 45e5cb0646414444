import type { SkipReason, StepError } from "../src/kernel/status.ts";
import type { StopCause } from "../src/state/rows.ts";
import type { NaiveState, NaiveStep, NaiveTask } from "./naive-state.ts";
import { isSettled } from "./naive-state.ts";

/** How steps and items end. */

const asStep = (state: NaiveState, task: NaiveTask): NaiveStep | null =>
  task.task === -1 ? state.steps[task.plan.index]! : null;

function settle(state: NaiveState, task: NaiveTask): void {
  task.settledOrder = state.next();
  task.timer = null;
  task.deadlineAt = null;
  task.isEvaluating = false;
}

/** The step starts, and with it the map or block around it. */
export function start(state: NaiveState, task: NaiveTask): void {
  if (task.isStarted) return;
  task.isStarted = true;
  const owner = task.task >= 0 ? task.plan.index : state.plan.scopes[task.plan.scope]!.owner;
  if (owner >= 0) start(state, state.steps[owner]!);
  if (task.task === -1 && task.plan.body !== null) task.status = "running";
  else startDeadline(state, task);
}

/** The worker enforces the timeout of an attempt; where there is none, the kernel takes the shorter of timeout and deadline. */
function startDeadline(state: NaiveState, task: NaiveTask): void {
  const step = state.steps[task.plan.index]!;
  const deadline = task.deadlineMs ?? step.deadlineMs ?? task.plan.deadlineMs;
  const timeout = hasWorker(task) ? null : (task.timeoutMs ?? step.timeoutMs ?? task.plan.timeoutMs);
  const limits = [deadline, timeout].filter((one) => one !== null);
  if (limits.length > 0) task.deadlineAt = state.clock + Math.min(...limits);
}

/** Whether an attempt of it runs on a worker, which then enforces the attempt's timeout. */
export const hasWorker = (task: NaiveTask): boolean => task.plan.kind === "task";

export function complete(state: NaiveState, task: NaiveTask, activePorts: readonly string[] | null = null): void {
  start(state, task);
  task.status = "completed";
  task.cause = null;
  const step = asStep(state, task);
  if (step !== null) step.activePorts = activePorts;
  settle(state, task);
}

export function fail(state: NaiveState, task: NaiveTask, error: StepError): void {
  task.status = "failed";
  if (task.cause !== "deadline" && task.cause !== "scope_timeout") task.cause = null;
  task.error = withCause(state, task, error);
  settle(state, task);
  const step = asStep(state, task);
  if (step === null) {
    failItem(state, task);
    return;
  }
  skipMembers(state, step, "scope_failed");
  const { onError } = step.plan;
  step.isCut = onError === "skipDependents";
  step.failure = onError === "fail" ? "pending" : "tolerated";
}

/** A step that fails while it handles a failure has that as its cause: of several sources the first in definition order. */
function withCause(state: NaiveState, task: NaiveTask, error: StepError): StepError {
  if (task.task >= 0) return error;
  const handled = task.plan.incoming
    .map((index) => state.plan.edges[index]!)
    .filter(({ on }) => on === "failure")
    .map(({ from }) => state.steps[from]!)
    .filter(({ status }) => status === "failed")
    .toSorted((a, b) => a.plan.index - b.plan.index)[0];
  if (handled === undefined) return error;
  return { ...error, cause: { step: handled.plan.id, code: handled.error!.code, message: "" } };
}

/** A failed item is tolerated while no more items have failed than the map tolerates. */
function failItem(state: NaiveState, item: NaiveTask): void {
  const { items } = state.steps[item.plan.index]!;
  const { tolerate } = state.plan.scopes[item.plan.body!]!;
  const all = items!.length;
  const limit =
    tolerate === null ? 0 : tolerate.kind === "items" ? tolerate.value : Math.floor((all * tolerate.value) / 100);
  const failed = items!.filter(({ status }) => status === "failed").length;
  item.failure = failed > limit ? "counted" : "tolerated";
  if (item.failure === "counted") state.stops.push(item.plan.body!);
}

/** It was stopped: canceled if it had started, else skipped. */
export function settleStopped(state: NaiveState, task: NaiveTask, cause: StopCause): void {
  if (isSettled(task)) return;
  if (cause === "deadline") {
    fail(state, task, { code: "timeout", message: "" });
    return;
  }
  task.cause = cause;
  task.status = task.isStarted ? "canceled" : "skipped";
  if (!task.isStarted) task.skipReason = reasonOf(cause);
  settle(state, task);
}

export function skip(
  state: NaiveState,
  step: NaiveStep,
  { reason, isCut }: { reason: SkipReason; isCut: boolean },
): void {
  step.status = "skipped";
  step.skipReason = reason;
  step.isCut = isCut;
  settle(state, step);
  skipMembers(state, step, step.plan.kind === "phase" ? reason : reasonInside(reason));
}

/** What has not settled when its block does has not begun. */
function skipMembers(state: NaiveState, { plan }: NaiveStep, reason: SkipReason): void {
  if (plan.body === null || plan.isMap) return;
  for (const member of state.plan.scopes[plan.body]!.members) {
    const one = state.steps[member]!;
    if (!isSettled(one)) skip(state, one, { reason, isCut: false });
  }
}

export function reasonOf(cause: StopCause): SkipReason {
  switch (cause) {
    case "run_canceled":
      return "run_canceled";
    case "join_lost":
      return "join_lost";
    default:
      return "scope_failed";
  }
}

/** Members of a block that is skipped: they share its loss, or are skipped because it was. */
function reasonInside(reason: SkipReason): SkipReason {
  return reason === "condition" || reason === "branch_not_taken" ? "upstream_skipped" : reason;
}
