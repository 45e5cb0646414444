import { allTasks, isSettled } from "./naive-state.ts";
import type { NaiveState, NaiveTask } from "./naive-state.ts";

/** Scopes around a task from the inside out. */
function scopesAround(state: NaiveState, task: NaiveTask): number[] {
  const around: number[] = [];
  for (let scope = task.plan.slots; scope >= 0; scope = state.plan.scopes[scope]!.parent) around.push(scope);
  return around;
}

const holdsSlot = (task: NaiveTask): boolean =>
  task.plan.kind === "task" && (task.status === "queued" || task.status === "running") && isAttempt(task);

/** The step of a map holds no slot: its items do. */
const isAttempt = (task: NaiveTask): boolean => !task.plan.isMap || task.task >= 0;

function slotsUsed(state: NaiveState, scope: number): number {
  return allTasks(state).filter((task) => holdsSlot(task) && scopesAround(state, task).includes(scope)).length;
}

function capOf(state: NaiveState, scope: number): number | null {
  const { maxConcurrent } = state.plan.scopes[scope]!;
  return scope === 0 ? (state.run.overrides.maxConcurrent ?? maxConcurrent) : maxConcurrent;
}

function hasRoom(state: NaiveState, scope: number): boolean {
  const cap = capOf(state, scope);
  return cap === null || slotsUsed(state, scope) < cap;
}

/** When the rate limit of a scope allows the next start; null while it waits for starts that were admitted. */
function nextStart(state: NaiveState, scope: number): number | null {
  const { rateLimit } = state.plan.scopes[scope]!;
  if (rateLimit === null) return -Infinity;
  const admitted = allTasks(state).filter(
    (task) => task.status === "queued" && isAttempt(task) && scopesAround(state, task).includes(scope),
  ).length;
  if (admitted >= rateLimit.burst) return null;
  const interval = rateLimit.perMs / rateLimit.count;
  return state.scopes[scope]!.arrival + (admitted - rateLimit.burst + 1) * interval;
}

function allowsRate(state: NaiveState, scope: number): boolean {
  const at = nextStart(state, scope);
  return at !== null && at <= state.run.at;
}

function wantsSlot(task: NaiveTask): boolean {
  if (task.plan.kind !== "task" || isSettled(task) || !isAttempt(task)) return false;
  return task.task === -1 ? task.status === "ready" : task.status === "pending";
}

/** Starts the best of all tasks that may start, again and again. */
export function admit(state: NaiveState): void {
  if (state.run.status !== "running") {
    for (const scope of state.scopes) scope.rateAt = null;
    return;
  }
  for (;;) {
    const best = allTasks(state)
      .filter((task) => wantsSlot(task))
      .filter((task) => scopesAround(state, task).every((scope) => hasRoom(state, scope) && allowsRate(state, scope)))
      .toSorted((a, b) => compare(state, a, b))[0];
    if (best === undefined) break;
    best.status = "queued";
    best.attempt += 1;
    state.admitted.push([best.plan.index, best.task]);
  }
  setRateTimers(state);
}

function compare(state: NaiveState, a: NaiveTask, b: NaiveTask): number {
  const rank = ({ plan }: NaiveTask): number => state.run.ranks?.[plan.index] ?? plan.rank;
  return b.plan.priority - a.plan.priority || rank(b) - rank(a) || a.plan.index - b.plan.index || a.task - b.task;
}

/** A scope that only its rate limit holds back waits for the instant at which that allows the next start. */
function setRateTimers(state: NaiveState): void {
  for (const [index, scope] of state.scopes.entries()) {
    const at = nextStart(state, index);
    const isHeldBack = allTasks(state).some((task) => {
      if (!wantsSlot(task)) return false;
      const around = scopesAround(state, task);
      const place = around.indexOf(index);
      return place >= 0 && around.slice(0, place).every((one) => hasRoom(state, one) && allowsRate(state, one));
    });
    scope.rateAt = at !== null && at > state.run.at && isHeldBack && hasRoom(state, index) ? at : null;
  }
}
