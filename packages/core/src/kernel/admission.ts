import type { PlanScope } from "../plan/plan.ts";
import { placeRow } from "../state/run-state.ts";
import type { MapState, RunState } from "../state/run-state.ts";
import type { RunRow, StepRow } from "../state/rows.ts";
import { openTimer } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * Who may start next. Each scope keeps its members that want a slot in a heap; a scope with room offers its best to the
 * scope around it, so the run's heap has the best of all at its top, and a scope without room holds back nobody else.
 * A slot is reserved in every scope around a task when it is admitted, and freed when the attempt has ended.
 */

/** Whether a row holds slots. Only attempts do: a block, a map, a delay, a sleep or a child run holds none. */
export function holdsSlots(state: RunState, row: StepRow): boolean {
  if (row.status !== "queued" && row.status !== "running") return false;
  const step = state.plan.steps[row.step]!;
  return step.kind === "task" && (row.task >= 0 || !step.isMap);
}

/** The step wants a slot for its next attempt; of a map: for its next item. */
export function want(state: RunState, step: number): void {
  const scope = candidateScope(state, step);
  state.scopes[scope]!.ready.put(step);
  refresh(state, scope);
}

export function unwant(state: RunState, step: number): void {
  const scope = candidateScope(state, step);
  state.scopes[scope]!.ready.remove(step);
  refresh(state, scope);
}

/** A map offers itself while it has an item to start. */
export function offerMap(work: Work, step: number): void {
  refresh(work.state, work.step(step).body!, work.at);
}

/** Frees the slots of an attempt that has ended. `wasStarted`: false for one that was still queued. */
export function release(work: Work, step: number, wasStarted: boolean): void {
  for (let scope = work.step(step).slots; scope >= 0; scope = work.plan.scopes[scope]!.parent) {
    const counters = work.state.scopes[scope]!;
    counters.active -= 1;
    if (!wasStarted) counters.notStarted -= 1;
  }
  refreshUp(work.state, work.step(step).slots, work.at);
}

/** An admitted attempt has started: it spends one start of every rate limit around it. */
export function spendStart(work: Work, step: number): void {
  for (let scope = work.step(step).slots; scope >= 0; scope = work.plan.scopes[scope]!.parent) {
    work.state.scopes[scope]!.notStarted -= 1;
    const rate = work.plan.scopes[scope]!.rateLimit;
    if (rate === null) continue;
    const owner = touchOwner(work, scope);
    owner.rateTat = Math.max(owner.rateTat, work.at) + rate.perMs / rate.count;
    refreshUp(work.state, scope, work.at);
  }
}

/** Admits everything that has room, best first. */
export function admit(work: Work): void {
  const { state, run } = work;
  if (run.pausedAt !== null) return;
  for (const scope of inOrder(state.rateBlocked)) refreshUp(state, scope, work.at);
  while (isOpen(state, 0, work.at) && state.scopes[0]!.ready.size > 0) admitBest(work);
  for (const scope of inOrder(state.rateBlocked)) waitForRate(work, scope);
}

/** In order of scope, whatever order they were blocked in: a reloaded state must do the same. */
const inOrder = (scopes: ReadonlySet<number>): readonly number[] =>
  scopes.size < 2 ? [...scopes] : [...scopes].toSorted((a, b) => a - b);

function admitBest(work: Work): void {
  const { state } = work;
  const entry = state.leaf[state.scopes[0]!.ready.top()]!;
  const step = work.step(entry);
  const row = step.isMap ? takeItem(work, entry) : work.touchStep(entry);
  if (!step.isMap) state.scopes[step.slots]!.ready.remove(entry);
  row.status = "queued";
  row.attempt += 1;
  reserve(state, step.slots, true);
  refreshUp(state, step.slots, work.at);
  work.command({ type: "startTask", step: entry, task: row.task, attempt: row.attempt });
}

/** The first item of a map that wants a slot: one that waits for another attempt, else the next that never had one. */
function takeItem(work: Work, step: number): StepRow {
  const map = work.state.mapState(step);
  const again = nextReadyItem(map);
  if (again !== undefined) {
    map.ready.pop();
    return work.touchItem(step, again);
  }
  const owner = work.touchStep(step);
  const row = work.touchItem(step, owner.nextItem);
  owner.nextItem += 1;
  row.readyAt = work.at;
  map.live.add(row.task);
  return row;
}

/** Items leave the heap only here; one that was stopped meanwhile is dropped. */
function nextReadyItem(map: MapState): number | undefined {
  for (;;) {
    const item = map.ready.top();
    if (item === undefined || map.rows[item]?.status === "ready") return item;
    map.ready.pop();
  }
}

function reserve(state: RunState, slots: number, isQueued: boolean): void {
  for (let scope = slots; scope >= 0; scope = state.plan.scopes[scope]!.parent) {
    const counters = state.scopes[scope]!;
    counters.active += 1;
    if (isQueued) counters.notStarted += 1;
  }
}

/** The scope in whose heap a step stands: where it takes slots, or for the owner of a scope, the one around that. */
function candidateScope(state: RunState, step: number): number {
  const planStep = state.plan.steps[step]!;
  return planStep.body === null ? planStep.slots : state.plan.scopes[planStep.body]!.parent;
}

/** Brings the offers of a scope and of all around it up to date. */
function refreshUp(state: RunState, start: number, now: number): void {
  for (let scope = start; scope > 0; scope = state.plan.scopes[scope]!.parent) offer(state, scope, now);
}

function refresh(state: RunState, start: number, now = state.run.lastAt): void {
  refreshUp(state, start, now);
}

/** Puts the best of a scope into the heap of the scope around it, or takes it out. */
function offer(state: RunState, scope: number, now: number): void {
  const { owner, parent } = state.plan.scopes[scope]!;
  const outer = state.scopes[parent]!.ready;
  const best = bestOf(state, scope);
  if (best < 0) {
    state.rateBlocked.delete(scope);
    outer.remove(owner);
  } else if (isOpen(state, scope, now)) {
    state.leaf[owner] = best;
    outer.put(owner);
  } else {
    outer.remove(owner);
  }
}

/** The step that the scope would start next, or -1. */
function bestOf(state: RunState, scope: number): number {
  const { kind, owner } = state.plan.scopes[scope]!;
  if (kind === "map") return hasItemToStart(state, owner) ? owner : -1;
  const top = state.scopes[scope]!.ready.top();
  return top < 0 ? -1 : state.leaf[top]!;
}

export function hasItemToStart(state: RunState, step: number): boolean {
  const row = state.steps[step];
  if (row === undefined || row.items === null || state.plan.steps[step]!.kind !== "task") return false;
  if (row.status !== "ready" && row.status !== "running") return false;
  if (nextReadyItem(state.mapState(step)) !== undefined) return true;
  return row.stop === "none" && row.nextItem < row.items;
}

/** Whether a scope has room and its rate limit allows a start now. Remembers a scope that only its rate holds back. */
function isOpen(state: RunState, scope: number, now: number): boolean {
  const planScope = state.plan.scopes[scope]!;
  const counters = state.scopes[scope]!;
  const cap = scope === 0 ? (state.run.maxConcurrent ?? planScope.maxConcurrent) : planScope.maxConcurrent;
  if (cap !== null && counters.active >= cap) return false;
  if (planScope.rateLimit === null) return true;
  if (counters.notStarted < planScope.rateLimit.burst && rateOpensAt(state, planScope) <= now) {
    state.rateBlocked.delete(scope);
    return true;
  }
  state.rateBlocked.add(scope);
  return false;
}

/**
 * Generic cell rate algorithm: each start moves the theoretical arrival time by one interval; a start is allowed as long
 * as that time is less than `burst - 1` intervals ahead. Attempts admitted and not started count as starts to come.
 */
function rateOpensAt(state: RunState, scope: PlanScope): number {
  const { count, perMs, burst } = scope.rateLimit!;
  const interval = perMs / count;
  const tat = scope.index === 0 ? state.run.rateTat : (state.steps[scope.owner]?.rateTat ?? 0);
  return Math.ceil(tat + (state.scopes[scope.index]!.notStarted - (burst - 1)) * interval);
}

/** Sets the kernel timer of a scope that only its rate limit holds back. */
function waitForRate(work: Work, scope: number): void {
  const { state } = work;
  const planScope = state.plan.scopes[scope]!;
  const isWanted = scope === 0 ? state.scopes[0]!.ready.size > 0 : bestOf(state, scope) >= 0;
  if (!isWanted || state.scopes[scope]!.notStarted >= planScope.rateLimit!.burst) return;
  const at = rateOpensAt(state, planScope);
  const current = scope === 0 ? work.run.rateAt : (state.steps[planScope.owner]?.rateAt ?? null);
  if (at <= work.at || current === at) return;
  touchOwner(work, scope).rateAt = at;
  openTimer(work, { at, step: planScope.owner, task: -1, kind: "rate" });
}

/** The row that holds the scope's rate: the run's or the owner's. */
function touchOwner(work: Work, scope: number): RunRow | StepRow {
  return scope === 0 ? work.touchRun() : work.touchStep(work.plan.scopes[scope]!.owner);
}

/** Rebuilds counters and heaps from the rows. */
export function rebuildAdmission(state: RunState, rows: Iterable<StepRow>): void {
  for (const row of rows) {
    placeRow(state, row);
    const step = state.plan.steps[row.step]!;
    if (holdsSlots(state, row)) reserve(state, step.slots, row.status === "queued");
    if (row.task >= 0) rememberItem(state, row);
  }
  for (const step of state.plan.steps) wantAgain(state, step.index);
  // Inner scopes stand after outer ones: each offer finds those below it in place.
  for (let scope = state.plan.scopes.length - 1; scope > 0; scope -= 1) offer(state, scope, state.run.lastAt);
}

function wantAgain(state: RunState, step: number): void {
  const planStep = state.plan.steps[step]!;
  if (planStep.kind === "task" && !planStep.isMap && state.steps[step]?.status === "ready") {
    state.scopes[planStep.slots]!.ready.put(step);
  }
}

function rememberItem(state: RunState, row: StepRow): void {
  const map = state.mapState(row.step);
  const isLive = row.isEvaluating || (row.status !== "pending" && !isTerminal(row.status));
  if (isLive) map.live.add(row.task);
  if (row.status === "ready") map.ready.push(row.task);
}
