import type { TimerFired } from "../src/kernel/event.ts";
import { stopPhase } from "./naive-run.ts";
import { complete, settleStopped } from "./naive-settle.ts";
import { becomeReady, wantAgain } from "./naive-start.ts";
import { allTasks, isSettled } from "./naive-state.ts";
import type { NaiveState } from "./naive-state.ts";
import { isChild, requestStop, stopOutside } from "./naive-stop.ts";
import { taskOf } from "./naive-task.ts";

/** What happens when a timer has come; false when no such timer is open, or when it has not come yet. */
export function timerFired(state: NaiveState, event: TimerFired): boolean {
  if (state.run.status !== "running") return false;
  switch (event.timer) {
    case "rate":
      return rateFired(state, event);
    case "timeout":
      return event.step === -1 ? runTimeoutFired(state) : timeoutFired(state, event);
    case "deadline":
      return deadlineFired(state, event);
    default:
      return delayFired(state, event);
  }
}

const isDue = (state: NaiveState, at: number | null): boolean => at !== null && at <= state.run.at;

/** A rate timer may stay open although nobody waits for it any more. */
function rateFired(state: NaiveState, { step }: TimerFired): boolean {
  if (step >= 0 && isSettled(state.steps[step]!)) return false;
  state.scopes[step === -1 ? 0 : state.plan.steps[step]!.body!]!.rateAt = null;
  return true;
}

function runTimeoutFired(state: NaiveState): boolean {
  const { run } = state;
  if (!isDue(state, run.timeoutAt)) return false;
  run.hasTimedOut = true;
  run.timeoutAt = null;
  stopPhase(state, "run_timeout");
  return true;
}

function timeoutFired(state: NaiveState, { step }: TimerFired): boolean {
  const index = state.plan.steps[step]!.body!;
  const scope = state.scopes[index]!;
  if (!isDue(state, scope.timeoutAt)) return false;
  scope.timeoutAt = null;
  scope.hasTimedOut = true;
  Object.assign(state.steps[step]!, { cause: "scope_timeout", error: { code: "timeout", message: "" } });
  stopOutside(state, index, { cause: "scope_timeout", isSoft: false });
  return true;
}

function deadlineFired(state: NaiveState, event: TimerFired): boolean {
  const task = taskOf(state, event);
  if (task === undefined || isSettled(task) || !isDue(state, task.deadlineAt)) return false;
  task.deadlineAt = null;
  if (task.status === "queued" || task.status === "running" || isChild(task)) requestStop(task, "deadline");
  else settleStopped(state, task, "deadline");
  return true;
}

/** A start delay, a retry delay or a sleep is over. */
function delayFired(state: NaiveState, event: TimerFired): boolean {
  const task = taskOf(state, event);
  if (task === undefined || isSettled(task)) return false;
  if (task.timer?.kind !== event.timer || !isDue(state, task.timer.at)) return false;
  if (event.timer === "delay") becomeReady(state, state.steps[event.step]!);
  else if (event.timer === "sleep") complete(state, task);
  else wantAgain(state, task);
  return true;
}

/** The instant of the earliest open timer. A paused run has none. */
export function wakeOf(state: NaiveState): number | null {
  const { run, scopes } = state;
  if (run.status !== "running") return null;
  const instants = [
    run.timeoutAt,
    ...scopes.flatMap(({ timeoutAt, rateAt }) => [timeoutAt, rateAt]),
    ...allTasks(state).flatMap(({ timer, deadlineAt }) => [timer?.at ?? null, deadlineAt]),
  ].filter((at) => at !== null);
  return instants.length === 0 ? null : Math.min(...instants);
}
