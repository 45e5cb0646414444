import type { PlanStep } from "../plan/plan.ts";
import type { StepRow } from "../state/rows.ts";
import { offerMap, want } from "./admission.ts";
import type { StepEvaluated } from "./event.ts";
import { fire } from "./join.ts";
import { completeItem, failItem, itemStarted, skipLeftRows } from "./map.ts";
import { complete, dependencies, fail, markStarted, skip } from "./settle.ts";
import { setDeadline, setTaskTimer } from "./timer.ts";
import type { StepError } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * From a fired join to work: control expressions, condition, start delay, `step.ready`, and then what the kind does.
 * A step whose join has fired stays `pending` until its evaluation has been answered.
 */

/** Lets a step go on whose join has fired. */
export function goOn(work: Work, step: number): void {
  const row = work.state.steps[step]!;
  if (row.status !== "pending" || row.firedSeq === 0) return;
  const planStep = work.step(step);
  if (planStep.evaluates) ask(work, row);
  else delayOrReady(work, planStep, planStep.startDelayMs);
}

function ask(work: Work, row: StepRow): void {
  work.touch(row).isEvaluating = true;
  work.command({ type: "evaluate", step: row.step, task: row.task });
}

/** The answer to `evaluate` of a step. */
export function stepEvaluated(work: Work, row: StepRow, event: StepEvaluated): void {
  const step = work.step(row.step);
  work.touch(row).isEvaluating = false;
  if (event.error !== undefined) {
    fail(work, row, event.error);
    return;
  }
  if (event.when === false) {
    conditionUnmet(work, step, row);
    return;
  }
  takeValues(row, event);
  if (step.isMap) {
    row.items = event.items ?? 0;
    skipLeftRows(work, row, { first: row.items, reason: "branch_not_taken" });
  }
  delayOrReady(work, step, event.startDelayMs ?? step.startDelayMs);
}

function takeValues(row: StepRow, event: StepEvaluated): void {
  row.sleepMs = event.sleepMs ?? null;
  row.timeoutMs = event.timeoutMs ?? null;
  row.deadlineMs = event.deadlineMs ?? null;
  row.signal = event.signal ?? null;
}

function conditionUnmet(work: Work, step: PlanStep, row: StepRow): void {
  if (step.whenUnmet === "fail") {
    fail(work, row, { code: "condition_unmet", message: `The condition of step \`${step.id}\` does not hold.` });
  } else {
    skip(work, step.index, { reason: "condition", isCut: step.whenUnmet === "skipBranch" });
  }
}

function delayOrReady(work: Work, step: PlanStep, delayMs: number): void {
  const row = work.touchStep(step.index);
  if (delayMs <= 0) {
    becomeReady(work, row);
    return;
  }
  row.status = "waiting";
  const until = setTaskTimer(work, row, { kind: "delay", delayMs });
  work.emit("step.waiting", row, { reason: "delay", until });
}

/** Join fired, condition held, delay over. */
export function becomeReady(work: Work, row: StepRow): void {
  const step = work.step(row.step);
  work.touch(row).status = "ready";
  row.readyAt = work.at;
  const triggeredBy = row.triggeredBy!.map((source) => work.step(source).id);
  work.emit("step.ready", row, { triggeredBy, dependencies: dependencies(work, row.step) });
  if (step.isMap) enterMap(work, step, row);
  else if (step.kind === "task") want(work.state, row.step);
  else if (step.kind === "block") enterScope(work, step.index);
  else startWithoutSlot(work, row);
}

/** Opens a block or phase: its members without incoming edges fire at once. */
export function enterScope(work: Work, step: number): void {
  const { body } = work.step(step);
  const scope = work.plan.scopes[body!]!;
  const row = work.touchStep(step);
  row.remaining = scope.members.length;
  if (scope.timeoutMs !== null) setDeadline(work, row, scope.timeoutMs);
  for (const root of work.state.index.roots[scope.index]!) fire(work, root);
  if (row.remaining === 0) work.scopes.push(scope.index);
}

function enterMap(work: Work, step: PlanStep, row: StepRow): void {
  row.remaining = row.items!;
  if (row.items === 0) {
    work.scopes.push(step.body!);
  } else if (step.kind === "task") {
    offerMap(work, row.step);
  } else {
    enterItems(work, step, row);
  }
}

/** Items that take no slots (child runs, sleeps, signals, approvals) all begin at once. */
function enterItems(work: Work, step: PlanStep, owner: StepRow): void {
  const map = work.state.mapState(step.index);
  while (owner.nextItem < owner.items!) {
    const row = work.touchItem(step.index, owner.nextItem);
    owner.nextItem += 1;
    row.readyAt = work.at;
    map.live.add(row.task);
    beginItem(work, row);
  }
}

/** Begins an item that takes no slot: its own evaluation comes first where there is one. */
export function beginItem(work: Work, row: StepRow): void {
  if (work.step(row.step).evaluatesItems) ask(work, row);
  else startWithoutSlot(work, row);
}

/** The answer to `evaluate` of an item. */
export function itemEvaluated(work: Work, row: StepRow, event: StepEvaluated): void {
  work.touch(row).isEvaluating = false;
  if (event.error !== undefined) {
    failItem(work, row, event.error);
    return;
  }
  takeValues(row, event);
  startWithoutSlot(work, row);
}

/** Starts what needs no worker: a pure join, a sleep, a signal, an approval, a child run. */
export function startWithoutSlot(work: Work, row: StepRow): void {
  const step = work.step(row.step);
  const isFirst = row.startedAt === null;
  if (row.task >= 0) itemStarted(work, row);
  else markStarted(work, row);
  if (step.kind === "join") {
    finishTask(work, row);
    return;
  }
  work.touch(row).status = "waiting";
  row.attempt += 1;
  if (isFirst) startDeadline(work, row, waitLimit(work, row));
  startWaiting(work, step, row);
}

function startWaiting(work: Work, step: PlanStep, row: StepRow): void {
  const { index } = step;
  const { task, attempt } = row;
  if (step.kind === "sleep") {
    const until = setTaskTimer(work, row, { kind: "sleep", delayMs: valueOf(work, row, "sleepMs") ?? 0 });
    if (task < 0) work.emit("step.waiting", row, { reason: "timer", until });
  } else if (step.kind === "child") {
    work.command({ type: "startChild", step: index, task, attempt });
    if (task < 0) work.emit("step.waiting", row, { reason: "child" });
  } else {
    row.signal ??= work.state.steps[index]!.signal ?? step.signal ?? step.id;
    work.command({ type: "awaitSignal", step: index, task, name: row.signal });
    if (task < 0) work.emit("step.waiting", row, { reason: step.kind, name: row.signal });
  }
}

/** A wait has no worker that could enforce its `timeout`, so the kernel takes the shorter of timeout and deadline. */
function waitLimit(work: Work, row: StepRow): number | null {
  const timeout = valueOf(work, row, "timeoutMs");
  const deadline = valueOf(work, row, "deadlineMs");
  return timeout === null || deadline === null ? (timeout ?? deadline) : Math.min(timeout, deadline);
}

/** What the item's evaluation gave, else the step's, else the plan's constant. */
export function valueOf(work: Work, row: StepRow, key: "sleepMs" | "timeoutMs" | "deadlineMs"): number | null {
  return row[key] ?? work.state.steps[row.step]![key] ?? work.step(row.step)[key];
}

/** The deadline of a step runs from its first attempt, retries and their delays included. */
export function startDeadline(work: Work, row: StepRow, limitMs: number | null): void {
  if (limitMs !== null && row.deadlineAt === null) setDeadline(work, row, limitMs);
}

/** A task has done its work. */
export function finishTask(work: Work, row: StepRow, activePorts: readonly string[] | null = null): void {
  if (row.task >= 0) completeItem(work, row);
  else complete(work, row, activePorts);
}

export function failTask(work: Work, row: StepRow, error: StepError): void {
  if (row.task >= 0) failItem(work, row, error);
  else fail(work, row, error);
}
