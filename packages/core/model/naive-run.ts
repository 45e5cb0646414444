import type { RunStatus, SkipReason } from "../src/kernel/status.ts";
import { skip } from "./naive-settle.ts";
import { allTasks, isSettled } from "./naive-state.ts";
import type { NaiveState, NaiveStep } from "./naive-state.ts";
import { stopMember, stopOutside, withdraw } from "./naive-stop.ts";

/** The life of a run, and what people do to it. */

export const isOver = (state: NaiveState): boolean => state.run.phase === "done";

const memberSteps = (state: NaiveState, scope: number): NaiveStep[] =>
  state.plan.scopes[scope]!.members.map((member) => state.steps[member]!);

/** Whether all members of a scope have settled, and no failure still waits for its handler. */
export function hasSettledMembers(state: NaiveState, scope: number): boolean {
  return memberSteps(state, scope).every((step) => isSettled(step) && step.failure !== "pending");
}

/** Failures that never reached the end of a branch were made up for. Gives whether any failure counts. */
export function closeFailures(state: NaiveState, scope: number): boolean {
  for (const step of memberSteps(state, scope)) if (step.failure === "open") step.failure = "tolerated";
  return hasFailure(state, scope);
}

/** Whether a failure counts in the scope, or a retry left a step in it lost. */
function hasFailure(state: NaiveState, scope: number): boolean {
  return memberSteps(state, scope).some(({ failure }) => failure === "counted" || failure === "lost");
}

/** How the run ends, as far as it has come. */
function outcome(state: NaiveState): Exclude<RunStatus, "queued" | "running" | "paused"> {
  const { cancelCount, hasTimedOut, outputError } = state.run;
  if (cancelCount > 0) return "canceled";
  const { onSuccess, onFailure, finally: last } = state.plan.phases;
  const hasFailed = [onSuccess, onFailure, last].some(
    (owner) => owner !== null && state.steps[owner]!.status === "failed",
  );
  return hasTimedOut || outputError !== null || hasFailed || hasFailure(state, 0) ? "failed" : "completed";
}

/** Moves the run to its next phase; false when its phase is not over. */
export function advance(state: NaiveState): boolean {
  const { run, plan } = state;
  const { onSuccess, onFailure, finally: last } = plan.phases;
  if (run.status !== "running") return false;
  switch (run.phase) {
    case "main": {
      if (!state.scopes[0]!.isOpen || !hasSettledMembers(state, 0)) return false;
      closeFailures(state, 0);
      run.phase = "hooks";
      const end = outcome(state);
      const chosen = end === "completed" ? onSuccess : end === "failed" ? onFailure : null;
      const reason = end === "canceled" ? "run_canceled" : "branch_not_taken";
      for (const hook of [onSuccess, onFailure]) if (hook !== null && hook !== chosen) skipPhase(state, hook, reason);
      if (chosen !== null) state.steps[chosen]!.firedOrder = state.next();
      return true;
    }
    case "hooks":
      if (![onSuccess, onFailure].every((hook) => hook === null || isSettled(state.steps[hook]!))) return false;
      run.phase = "output";
      run.timeoutAt = null;
      run.isEvaluating = plan.hasOutput && outcome(state) === "completed";
      return true;
    case "output":
      if (run.isEvaluating) return false;
      run.phase = "finally";
      if (last !== null && run.cancelCount > 1) skipPhase(state, last, "run_canceled");
      else if (last !== null) state.steps[last]!.firedOrder = state.next();
      return true;
    case "finally":
      if (last !== null && !isSettled(state.steps[last]!)) return false;
      finish(state);
      return true;
    default:
      return false;
  }
}

function skipPhase(state: NaiveState, owner: number, reason: SkipReason): void {
  skip(state, state.steps[owner]!, { reason, isCut: false });
}

function finish(state: NaiveState): void {
  state.run.phase = "done";
  state.run.status = outcome(state);
}

export function cancelRun(state: NaiveState): boolean {
  const { run, plan } = state;
  if (run.status === null || isOver(state) || run.cancelCount > 1) return false;
  run.cancelCount += 1;
  if (run.status === "queued") {
    for (const step of state.steps) {
      if (!isSettled(step) && step.plan.kind !== "pool") skip(state, step, { reason: "run_canceled", isCut: false });
    }
    finish(state);
    return true;
  }
  if (state.isPaused) resumeRun(state);
  const last = plan.phases.finally;
  if (run.phase !== "finally") stopPhase(state, "run_canceled");
  else if (run.cancelCount > 1 && last !== null) {
    stopMember(state, state.steps[last]!, { cause: "run_canceled", isSoft: false });
  }
  return true;
}

/** Stops the run's own list, or the hook that runs after it. */
export function stopPhase(state: NaiveState, cause: "run_canceled" | "run_timeout"): void {
  const { run, plan } = state;
  if (run.phase === "main") stopOutside(state, 0, { cause, isSoft: false });
  if (run.phase === "output") run.isEvaluating = false;
  if (run.phase !== "hooks") return;
  for (const hook of [plan.phases.onSuccess, plan.phases.onFailure]) {
    if (hook !== null) stopMember(state, state.steps[hook]!, { cause, isSoft: false });
  }
}

export function pauseRun(state: NaiveState): boolean {
  if (state.run.status !== "running") return false;
  state.run.status = "paused";
  state.run.pausedAt = state.run.at;
  for (const task of allTasks(state)) if (task.status === "queued") withdraw(task, null);
  return true;
}

export function resumeRun(state: NaiveState): boolean {
  const { run } = state;
  if (run.pausedAt === null) return false;
  const length = run.at - run.pausedAt;
  run.pausedAt = null;
  run.status = "running";
  if (run.timeoutAt !== null) run.timeoutAt += length;
  for (const task of allTasks(state)) {
    if (task.timer !== null) task.timer.at += length;
    if (task.deadlineAt !== null) task.deadlineAt += length;
  }
  for (const scope of state.scopes) if (scope.timeoutAt !== null) scope.timeoutAt += length;
  return true;
}
