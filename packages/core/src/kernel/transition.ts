import type { Plan } from "../plan/plan.ts";
import { taskRow } from "../state/run-state.ts";
import type { RunState } from "../state/run-state.ts";
import { admit } from "./admission.ts";
import { cancelRun, pauseRun, resumeRun } from "./control.ts";
import type { RunEvent, StepEvaluated } from "./event.ts";
import { decideJoin, resolveOutgoing } from "./join.ts";
import { cancelLosers } from "./race.ts";
import { retryRun } from "./rerun.ts";
import { advanceRun, createRun, runEvaluated, startRun } from "./run.ts";
import { settleScope } from "./scope.ts";
import { goOn, itemEvaluated, stepEvaluated } from "./start.ts";
import { isTerminal } from "./status.ts";
import { stopInside } from "./stop.ts";
import { taskEvent } from "./task.ts";
import { nextWake } from "./timer.ts";
import type { Transition } from "./transition-types.ts";
import { childSettled, signalReceived, timerFired } from "./wait.ts";
import { Work } from "./work.ts";

/**
 * The kernel: applies one event to a run. Pure but for `state`, which it changes in place; total: it answers every event
 * in every state. A stale or duplicate event changes nothing and is said to be ignored.
 *
 * Costs O(work that changed): a task event touches its row, its scopes, the steps at the other end of its edges, and what
 * starts or ends because of it. `run.pause`, `run.resume`, `run.retry` and the end of a run look at every row.
 */
export function transition(plan: Plan, state: RunState, event: RunEvent): Transition {
  if (state.plan !== plan) throw new Error("The state belongs to another plan.");
  const work = new Work(state, Math.max(event.at, state.run.lastAt));
  const ignored = apply(work, event);
  if (ignored !== null) return { changes: [], commands: [], trace: [], ignored };
  work.touchRun().lastAt = work.at;
  settleAll(work);
  admit(work);
  state.run.wakeAt = isTerminal(state.run.status) ? null : nextWake(state);
  return { changes: work.changes, commands: work.commands, trace: work.trace, ignored: null };
}

function apply(work: Work, event: RunEvent): string | null {
  const isOver = isTerminal(work.run.status);
  if (isOver && event.type !== "run.retry" && event.type !== "run.create") return "the run is over";
  switch (event.type) {
    case "run.create":
      return createRun(work, event);
    case "run.start":
      return startRun(work, event);
    case "step.evaluated":
      return evaluated(work, event);
    case "run.evaluated":
      return runEvaluated(work, event);
    case "task.started":
    case "task.completed":
    case "task.failed":
    case "task.canceled":
    case "task.lost":
      return taskEvent(work, event);
    case "timer.fired":
      return timerFired(work, event);
    case "signal.received":
      return signalReceived(work, event);
    case "child.settled":
      return childSettled(work, event);
    case "run.cancel":
      return cancelRun(work);
    case "run.pause":
      return pauseRun(work);
    case "run.resume":
      return resumeRun(work);
    case "run.retry":
      return retryRun(work, event);
    default:
      return event satisfies never;
  }
}

function evaluated(work: Work, event: StepEvaluated): string | null {
  const row = taskRow(work.state, event.step, event.task);
  if (row === undefined || !row.isEvaluating || isTerminal(row.status)) return "no evaluation was asked for";
  if (event.task < 0) stepEvaluated(work, row, event);
  else itemEvaluated(work, row, event);
  return null;
}

/** Takes work off the lists, in the order that `Work` describes, until there is none. */
function settleAll(work: Work): void {
  const { state } = work;
  for (;;) {
    if (work.settled.size > 0) {
      resolveOutgoing(work, work.settled.shift());
    } else if (work.joins.size > 0) {
      decideJoin(work, work.joins.pop()!);
    } else if (work.races.size > 0) {
      cancelLosers(work, work.races.shift());
    } else if (work.stops.size > 0) {
      stopInside(work, work.stops.shift());
    } else if (state.fired.size > 0 && state.run.pausedAt === null) {
      goOn(work, state.fired.pop()!);
    } else if (work.scopes.size > 0) {
      settleScope(work, work.scopes.pop()!);
    } else if (work.checkRun) {
      advanceRun(work);
    } else {
      return;
    }
  }
}
