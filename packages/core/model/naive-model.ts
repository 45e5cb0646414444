import type { RunEvent } from "../src/kernel/event.ts";
import type { Plan } from "../src/plan/plan.ts";
import { admit } from "./naive-admission.ts";
import { decide, edgeOf, incomingOf, isRescue } from "./naive-edges.ts";
import { judgeFailures } from "./naive-failure.ts";
import { advance, cancelRun, closeFailures, hasSettledMembers, isOver, pauseRun, resumeRun } from "./naive-run.ts";
import { retryRun } from "./naive-retry.ts";
import { complete, fail, settleStopped, skip } from "./naive-settle.ts";
import { becomeReady, evaluated, goOn, itemEvaluated } from "./naive-start.ts";
import { isOutside, isSettled, NaiveState } from "./naive-state.ts";
import type { NaiveStep } from "./naive-state.ts";
import { cancelLosers, stopInside } from "./naive-stop.ts";
import { childSettled, signalReceived, taskEvent, taskOf } from "./naive-task.ts";
import { timerFired } from "./naive-timer.ts";

/**
 * The semantics once more, as plainly as they can be said: after every event all rules are tried over all steps, again and
 * again, until none applies. The order of the rules is the order in which one transition works.
 */
export class NaiveModel {
  readonly state: NaiveState;

  constructor(plan: Plan) {
    this.state = new NaiveState(plan);
  }

  /** False for a stale or duplicate event, which changes nothing. */
  apply(event: RunEvent): boolean {
    const { state } = this;
    const before = state.run.at;
    state.admitted = [];
    state.run.at = Math.max(before, event.at);
    if (!applyEvent(state, event)) {
      state.run.at = before;
      return false;
    }
    do judgeFailures(state);
    while (work(state));
    admit(state);
    return true;
  }
}

function applyEvent(state: NaiveState, event: RunEvent): boolean {
  const { run } = state;
  if (event.type === "run.create") {
    if (run.status !== null) return false;
    run.status = "queued";
    run.overrides = event.overrides ?? {};
    return true;
  }
  if (run.status === null || isOver(state) !== (event.type === "run.retry")) return false;
  switch (event.type) {
    case "run.start": {
      if (run.status !== "queued") return false;
      const limit = run.overrides.timeoutMs ?? state.plan.scopes[0]!.timeoutMs;
      run.status = "running";
      run.ranks = event.ranks ?? null;
      run.timeoutAt = limit === null ? null : run.at + limit;
      state.scopes[0]!.isOpen = true;
      return true;
    }
    case "step.evaluated": {
      const task = taskOf(state, event);
      if (task === undefined || !task.isEvaluating || isSettled(task)) return false;
      if (event.task === -1) evaluated(state, state.steps[event.step]!, event);
      else itemEvaluated(state, task, event);
      return true;
    }
    case "run.evaluated":
      if (!run.isEvaluating) return false;
      run.isEvaluating = false;
      run.outputError = event.error ?? null;
      return true;
    case "task.started":
    case "task.completed":
    case "task.failed":
    case "task.canceled":
    case "task.lost":
      return taskEvent(state, event);
    case "timer.fired":
      return timerFired(state, event);
    case "signal.received":
      return signalReceived(state, event);
    case "child.settled":
      return childSettled(state, event);
    case "run.cancel":
      return cancelRun(state);
    case "run.pause":
      return pauseRun(state);
    case "run.resume":
      return resumeRun(state);
    case "run.retry":
      return retryRun(state, event);
    default:
      return event satisfies never;
  }
}

/** Applies the first rule that has something to do; false when none has. */
function work(state: NaiveState): boolean {
  return (
    decideOneJoin(state) ||
    cancelOneRest(state) ||
    stopOneScope(state) ||
    letOneGoOn(state) ||
    settleOneScope(state) ||
    advance(state)
  );
}

/** Edges are worked out from their sources, so that they are resolved before any join is decided. */
function decideOneJoin(state: NaiveState): boolean {
  for (const step of state.steps) {
    const { kind, scope } = step.plan;
    if (kind === "pool" || kind === "phase" || !state.scopes[scope]!.isOpen) continue;
    if (isSettled(step) || step.firedOrder > 0) continue;
    const decision = decide(state, step);
    if (decision === "wait") continue;
    if (decision === "fire") fire(state, step);
    else skip(state, step, decision);
    return true;
  }
  return false;
}

function fire(state: NaiveState, step: NaiveStep): void {
  const satisfied = incomingOf(state, step).filter((edge) => edgeOf(state, edge) === "satisfied");
  if (state.scopes[step.plan.scope]!.stop !== "none" && !satisfied.some((edge) => isRescue(state, edge))) {
    skip(state, step, { reason: "scope_failed", isCut: false });
    return;
  }
  step.firedOrder = state.next();
  step.triggeredBy = [...new Set(satisfied.map(({ from }) => from))];
  if (step.plan.join.cancelRest) state.races.push(step.plan.index);
}

function cancelOneRest(state: NaiveState): boolean {
  const winner = state.races.shift();
  if (winner === undefined) return false;
  cancelLosers(state, winner);
  return true;
}

function stopOneScope(state: NaiveState): boolean {
  const scope = state.stops.shift();
  if (scope === undefined) return false;
  stopInside(state, scope);
  return true;
}

function letOneGoOn(state: NaiveState): boolean {
  if (state.isPaused) return false;
  const step = state.steps.find((one) => one.firedOrder > 0 && !one.hasGoneOn && !isSettled(one));
  if (step === undefined) return false;
  if (step.plan.kind === "phase") {
    step.hasGoneOn = true;
    becomeReady(state, step);
  } else goOn(state, step);
  return true;
}

function settleOneScope(state: NaiveState): boolean {
  const depth = (scope: number): number => (scope < 0 ? 0 : 1 + depth(state.plan.scopes[scope]!.parent));
  const inside = state.plan.scopes
    .filter(
      ({ kind, index }) => (kind === "block" || kind === "phase" || kind === "map") && state.scopes[index]!.isOpen,
    )
    .toSorted((a, b) => depth(b.index) - depth(a.index) || a.index - b.index);
  for (const { index, kind, owner } of inside) {
    const step = state.steps[owner]!;
    if (isSettled(step)) continue;
    const isDone = kind === "map" ? step.items!.every((item) => isSettled(item)) : hasSettledMembers(state, index);
    if (!isDone) continue;
    settleScope(state, step, index);
    return true;
  }
  return false;
}

function settleScope(state: NaiveState, step: NaiveStep, index: number): void {
  const scope = state.scopes[index]!;
  const isCounted = step.plan.isMap
    ? step.items!.some(({ failure }) => failure === "counted")
    : closeFailures(state, index);
  scope.timeoutAt = null;
  if (isOutside(scope)) {
    if (scope.hasTimedOut) fail(state, step, { code: "timeout", message: "" });
    else settleStopped(state, step, step.cause!);
  } else if (isCounted) fail(state, step, { code: "scope_failed", message: "" });
  else complete(state, step);
}
