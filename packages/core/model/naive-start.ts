import type { StepEvaluated } from "../src/kernel/event.ts";
import type { StepError } from "../src/kernel/status.ts";
import type { RetryPolicy } from "../src/plan/plan.ts";
import { complete, fail, hasWorker, settleStopped, skip, start } from "./naive-settle.ts";
import { newTask } from "./naive-state.ts";
import type { NaiveScope, NaiveState, NaiveStep, NaiveTask } from "./naive-state.ts";
import { isSpared } from "./naive-stop.ts";

/** What a step does once its join has fired. */
export function goOn(state: NaiveState, step: NaiveStep): void {
  step.hasGoneOn = true;
  if (step.plan.evaluates) step.isEvaluating = true;
  else delay(state, step, step.plan.startDelayMs);
}

export function evaluated(state: NaiveState, step: NaiveStep, event: StepEvaluated): void {
  step.isEvaluating = false;
  if (event.error !== undefined) {
    fail(state, step, event.error);
    return;
  }
  if (event.when === false) {
    const { whenUnmet } = step.plan;
    if (whenUnmet === "fail") fail(state, step, { code: "condition_unmet", message: "" });
    else skip(state, step, { reason: "condition", isCut: whenUnmet === "skipBranch" });
    return;
  }
  step.sleepMs = event.sleepMs ?? null;
  step.timeoutMs = event.timeoutMs ?? null;
  step.deadlineMs = event.deadlineMs ?? null;
  step.signal = event.signal ?? null;
  step.itemCount = step.plan.isMap ? (event.items ?? 0) : null;
  delay(state, step, event.startDelayMs ?? step.plan.startDelayMs);
}

function delay(state: NaiveState, step: NaiveStep, delayMs: number): void {
  if (delayMs <= 0) {
    becomeReady(state, step);
    return;
  }
  step.status = "waiting";
  step.timer = { kind: "delay", at: state.clock + delayMs };
}

/** The join fired, the condition held and the delay is over. */
export function becomeReady(state: NaiveState, step: NaiveStep): void {
  step.timer = null;
  step.status = "ready";
  const { kind, isMap, body } = step.plan;
  if (isMap) {
    step.items = Array.from({ length: step.itemCount ?? 0 }, (_, item) =>
      newTask(step.plan, item, step.itemAttempts[item] ?? 0),
    );
    openScope(state, body!);
    if (kind !== "task") for (const item of step.items) beginItem(state, item);
  } else if (kind === "block" || kind === "phase") {
    openScope(state, body!);
  } else if (kind !== "task") begin(state, step);
}

function openScope(state: NaiveState, index: number): void {
  const scope = state.scopes[index]!;
  const { timeoutMs, owner } = state.plan.scopes[index]!;
  const limit = (owner < 0 ? null : state.steps[owner]!.timeoutMs) ?? timeoutMs;
  scope.isOpen = true;
  scope.timeoutAt = limit === null ? null : state.clock + limit;
}

export function beginItem(state: NaiveState, item: NaiveTask): void {
  if (item.plan.evaluatesItems) item.isEvaluating = true;
  else begin(state, item);
}

export function itemEvaluated(state: NaiveState, item: NaiveTask, event: StepEvaluated): void {
  item.isEvaluating = false;
  if (event.error !== undefined) {
    fail(state, item, event.error);
    return;
  }
  item.sleepMs = event.sleepMs ?? null;
  item.timeoutMs = event.timeoutMs ?? null;
  item.deadlineMs = event.deadlineMs ?? null;
  item.signal = event.signal ?? null;
  begin(state, item);
}

/** Begins what takes no slot. */
function begin(state: NaiveState, task: NaiveTask): void {
  const { kind } = task.plan;
  start(state, task);
  if (kind === "join") {
    complete(state, task);
    return;
  }
  task.status = "waiting";
  task.attempt += 1;
  if (kind === "sleep") {
    const sleepMs = task.sleepMs ?? state.steps[task.plan.index]!.sleepMs ?? task.plan.sleepMs;
    task.timer = { kind: "sleep", at: state.clock + sleepMs };
  }
}

/** The task asks for its next attempt. */
export function wantAgain(state: NaiveState, task: NaiveTask): void {
  task.timer = null;
  if (task.plan.kind === "task") task.status = task.task === -1 ? "ready" : "pending";
  else begin(state, task);
}

interface Failure {
  readonly error: StepError;
  readonly isRetryable: boolean;
  readonly retryAfterMs?: number | undefined;
}

const NEVER_RETRIED: ReadonlySet<string> = new Set(["condition_error", "input_unresolved"]);

/** Before the attempt after the given one. Random plans have no jitter. */
function delayAfter({ delayMs, backoff, factor, maxDelayMs }: RetryPolicy, attempt: number): number {
  const growth = { fixed: 1, linear: attempt, exponential: factor ** (attempt - 1) };
  return Math.min(delayMs * growth[backoff], maxDelayMs);
}

/** The attempt has come to a result of its own, so it counts. */
export function useUp(task: NaiveTask): void {
  task.used += 1;
  task.lost = 0;
}

/** An attempt has failed: the next one follows, or the task has failed. */
export function failAttempt(state: NaiveState, task: NaiveTask, { error, isRetryable, retryAfterMs }: Failure): void {
  const { retry } = task.plan;
  const isAllowed =
    isRetryable && !NEVER_RETRIED.has(error.code) && (retry.on === null || retry.on.includes(error.code));
  if (!isAllowed || task.used >= retry.maxAttempts || !mayStartAgain(state, task)) {
    fail(state, task, error);
    return;
  }
  const delayMs = retryAfterMs ?? delayAfter(retry, task.used);
  if (delayMs <= 0 && hasWorker(task)) {
    wantAgain(state, task);
    return;
  }
  task.status = "waiting";
  task.timer = { kind: "retry", at: state.clock + delayMs };
}

const scopeAround = (state: NaiveState, task: NaiveTask): NaiveScope =>
  state.scopes[task.task >= 0 ? task.plan.body! : task.plan.scope]!;

/** In a scope that has stopped no attempt starts, except of members that go on. */
function mayStartAgain(state: NaiveState, task: NaiveTask): boolean {
  const scope = scopeAround(state, task);
  if (scope.stop === "none") return true;
  if (scope.stop === "outside" || scope.stop === "outside_soft" || task.task >= 0) return false;
  return isSpared(state, state.steps[task.plan.index]!);
}

export function loseAttempt(state: NaiveState, task: NaiveTask): void {
  if (!mayStartAgain(state, task)) settleStopped(state, task, scopeAround(state, task).cause!);
  else if (task.lost > 3) fail(state, task, { code: "lost_lease", message: "" });
  else wantAgain(state, task);
}
