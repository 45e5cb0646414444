import type { CancelCause } from "../src/kernel/status.ts";
import type { StopCause } from "../src/state/rows.ts";
import { edgeOf, incomingOf, isRescue, needsOf } from "./naive-edges.ts";
import { reasonOf, settleStopped, skip } from "./naive-settle.ts";
import { isSettled } from "./naive-state.ts";
import type { NaiveState, NaiveStep, NaiveTask } from "./naive-state.ts";

export interface Stop {
  readonly cause: CancelCause;
  /** Running attempts and child runs may finish. */
  readonly isSoft: boolean;
}

/** A failure has counted in the scope: its mode decides about the other members. */
export function stopInside(state: NaiveState, index: number): void {
  const scope = state.scopes[index]!;
  const { mode, kind, owner, members } = state.plan.scopes[index]!;
  const chosen = index === 0 ? (state.run.overrides.mode ?? mode) : mode;
  if (chosen === "continue" || scope.stop !== "none") return;
  const isSoft = chosen === "complete_running";
  scope.stop = isSoft ? "inside_soft" : "inside";
  const stop: Stop = { cause: "scope_failed", isSoft };
  scope.cause = stop.cause;
  if (kind === "map") {
    for (const item of state.steps[owner]!.items ?? []) stopTask(state, item, stop);
    return;
  }
  for (const member of members) {
    const step = state.steps[member]!;
    if (!isSpared(state, step)) stopMember(state, step, stop);
  }
}

/** A member with a `failure` or `settled` edge goes on if it has started, or starts when such an edge is satisfied. */
export function isSpared(state: NaiveState, step: NaiveStep): boolean {
  const rescues = incomingOf(state, step).filter((edge) => isRescue(state, edge));
  if (rescues.length === 0) return false;
  if (step.firedOrder === 0 || step.isStarted) return true;
  return rescues.some((edge) => edgeOf(state, edge) === "satisfied");
}

/** The scope stops whatever its mode says, and starts nothing more. */
export function stopOutside(state: NaiveState, index: number, stop: Stop): void {
  const scope = state.scopes[index]!;
  if (scope.stop === "outside" || (scope.stop === "outside_soft" && stop.isSoft)) return;
  scope.stop = stop.isSoft ? "outside_soft" : "outside";
  scope.cause = stop.cause;
  if (!stop.isSoft) scope.timeoutAt = null;
  const { kind, owner, members } = state.plan.scopes[index]!;
  if (kind === "map") for (const item of state.steps[owner]!.items ?? []) stopTask(state, item, stop);
  else for (const member of members) stopMember(state, state.steps[member]!, stop);
}

export function stopMember(state: NaiveState, step: NaiveStep, stop: Stop): void {
  if (isSettled(step)) return;
  const { body, isMap } = step.plan;
  const hasBegun = body !== null && (isMap ? step.items !== null : state.scopes[body]!.isOpen);
  if (hasBegun) {
    const { stop: level } = state.scopes[body]!;
    // A harder stop overrules a softer one.
    if (level !== "outside" && !(level === "outside_soft" && stop.isSoft)) step.cause = stop.cause;
    stopOutside(state, body, { ...stop, cause: passedOn(stop.cause) });
  } else if (body !== null && !isMap) skip(state, step, { reason: reasonOf(stop.cause), isCut: false });
  else stopTask(state, step, stop);
}

/** What the members of a stopped block are told. */
function passedOn(cause: CancelCause): CancelCause {
  return cause === "run_canceled" || cause === "run_timeout" ? cause : "parent_stopped";
}

function stopTask(state: NaiveState, task: NaiveTask, { cause, isSoft }: Stop): void {
  if (isSettled(task)) return;
  if (task.status === "queued" && isSoft) withdraw(task, cause);
  else if (task.status === "queued") requestStop(task, cause);
  else if (task.status === "running" || isChild(task)) {
    if (!isSoft) requestStop(task, cause);
  } else settleStopped(state, task, cause);
}

export const isChild = (task: NaiveTask): boolean =>
  task.plan.kind === "child" && task.status === "waiting" && task.timer === null;

/** It is stopped for good, wherever it is. The first reason stays. */
export function requestStop(task: NaiveTask, cause: StopCause): void {
  if (task.cause === null || task.cause === "withdrawn") task.cause = cause;
}

/** Its attempt is taken out of the queue, unless somebody has claimed it. */
export function withdraw(task: NaiveTask, cause: CancelCause | null): void {
  task.cause ??= "withdrawn";
  task.withdrawnFor ??= cause;
}

/** The join has fired and cancels what nothing else needs, and then what only that needed. */
export function cancelLosers(state: NaiveState, winner: number): void {
  const open = incomingOf(state, state.steps[winner]!).map(({ from }) => from);
  const losers = new Set<number>();
  for (let changed = true; changed;) {
    changed = false;
    for (const index of open) {
      const step = state.steps[index]!;
      if (losers.has(index) || isSettled(step)) continue;
      const needs = needsOf(state, step);
      const isNeeded = needs.some(({ to }) => !losers.has(to) && isPending(state.steps[to]!));
      if (needs.length === 0 || isNeeded) continue;
      losers.add(index);
      open.push(...incomingOf(state, step).map(({ from }) => from));
      changed = true;
    }
  }
  const inOrder = [...losers].toSorted((a, b) => a - b);
  for (const index of inOrder) stopMember(state, state.steps[index]!, { cause: "join_lost", isSoft: false });
}

const isPending = (step: NaiveStep): boolean => step.firedOrder === 0 && !isSettled(step);
