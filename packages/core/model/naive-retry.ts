import type { RunRetry } from "../src/kernel/event.ts";
import { edgeOf, incomingOf } from "./naive-edges.ts";
import { beginItem } from "./naive-start.ts";
import { newScope, newStep, newTask, stepsInside } from "./naive-state.ts";
import type { NaiveState, NaiveStep } from "./naive-state.ts";

/** `run.retry`: which steps of a terminal run run again, and what they keep. */

export function retryRun(state: NaiveState, event: RunRetry): boolean {
  const { run, plan } = state;
  const asked = event.from ?? event.only;
  if (asked !== undefined && !canBeAskedFor(state, asked)) return false;
  const choice = asked === undefined ? chooseFailed(state) : chooseAsked(state, asked, event.only === undefined);
  for (const scope of plan.scopes) markLost(state, scope.members);
  run.epoch += 1;
  run.status = "running";
  run.phase = "main";
  run.cancelCount = 0;
  run.hasTimedOut = false;
  run.isEvaluating = false;
  run.outputError = null;
  const limit = run.overrides.timeoutMs ?? plan.scopes[0]!.timeoutMs;
  run.timeoutAt = limit === null ? null : run.at + limit;
  for (const owner of phaseOwners(state)) choice.afresh.add(owner);
  for (const owner of phaseOwners(state)) for (const inside of stepsInside(state, owner)) choice.afresh.add(inside);
  state.scopes[0] = { ...newScope(), isOpen: true, arrival: state.scopes[0]!.arrival };
  for (const index of choice.reopened) reopen(state, index);
  for (const index of choice.afresh) resetStep(state, index);
  for (const scope of [0, ...[...choice.reopened].map((index) => plan.steps[index]!.body!)]) {
    for (const member of plan.scopes[scope]!.members) {
      const step = state.steps[member]!;
      if (step.isLost) step.failure = "lost";
      judgeAgain(step);
    }
  }
  return true;
}

interface Choice {
  /** Steps that run again from the beginning. */
  readonly afresh: Set<number>;
  /** Blocks and maps that keep what they have done. */
  readonly reopened: Set<number>;
}

const phaseOwners = (state: NaiveState): number[] => Object.values(state.plan.phases).filter((owner) => owner !== null);

function isInPhase(state: NaiveState, index: number): boolean {
  const { owner } = state.plan.scopes[state.plan.steps[index]!.scope]!;
  return owner >= 0 && (state.plan.steps[owner]!.kind === "phase" || isInPhase(state, owner));
}

function canBeAskedFor(state: NaiveState, index: number): boolean {
  const step = state.plan.steps[index];
  return (
    step !== undefined && step.kind !== "phase" && step.kind !== "pool" && !step.hidden && !isInPhase(state, index)
  );
}

/** Failures that counted, canceled steps but lost races, and steps that a stop skipped. */
function isFailedOrLost(step: NaiveStep): boolean {
  if (step.status === "failed") return step.failure === "counted";
  if (step.status === "canceled") return step.cause !== "join_lost";
  return step.isLost || step.skipReason === "scope_failed" || step.skipReason === "run_canceled";
}

function chooseFailed(state: NaiveState): Choice {
  const choice: Choice = { afresh: new Set(), reopened: new Set() };
  chooseIn(state, 0, choice);
  return choice;
}

function chooseIn(state: NaiveState, scope: number, choice: Choice): void {
  for (const member of state.plan.scopes[scope]!.members) {
    const step = state.steps[member]!;
    if (!isFailedOrLost(step)) continue;
    if (canReopen(state, step)) {
      choice.reopened.add(member);
      if (!step.plan.isMap) chooseIn(state, step.plan.body!, choice);
    } else addAfresh(state, member, choice);
  }
  follow({ state, scope, choice }, (index) => joinCounted(state, index));
}

/** A block that had begun, and a map whose items are known, go on with what they have. */
function canReopen(state: NaiveState, step: NaiveStep): boolean {
  const { body, isMap } = step.plan;
  if (body === null || step.status === "skipped") return false;
  return isMap ? step.items !== null && step.status !== "completed" : state.scopes[body]!.isOpen;
}

function addAfresh(state: NaiveState, index: number, { afresh, reopened }: Choice): void {
  for (const one of [index, ...stepsInside(state, index)]) {
    afresh.add(one);
    reopened.delete(one);
  }
}

interface Search {
  readonly state: NaiveState;
  readonly scope: number;
  readonly choice: Choice;
}

/** Adds the steps that depend on those that run again, as `counts` tells of an edge, until there are no more. */
function follow({ state, scope, choice }: Search, counts: (edge: number) => boolean): void {
  const { members } = state.plan.scopes[scope]!;
  for (let changed = true; changed;) {
    changed = false;
    for (const { index, from, to } of state.plan.edges) {
      const isAgain = choice.afresh.has(from) || choice.reopened.has(from);
      if (!isAgain || choice.afresh.has(to) || !members.includes(to) || !counts(index)) continue;
      addAfresh(state, to, choice);
      changed = true;
    }
  }
}

/** Whether the edge had been resolved when the join at its end fired, or when the step there was skipped. */
function joinCounted(state: NaiveState, index: number): boolean {
  const { from, to } = state.plan.edges[index]!;
  const source = state.steps[from]!;
  const target = state.steps[to]!;
  const decided = target.firedOrder > 0 ? target.firedOrder : target.settledOrder;
  return source.settledOrder > 0 && decided > 0 && source.settledOrder < decided;
}

function chooseAsked(state: NaiveState, asked: number, withDescendants: boolean): Choice {
  const choice: Choice = { afresh: new Set(), reopened: new Set() };
  if (state.plan.steps[asked]!.isMap && canReopen(state, state.steps[asked]!)) choice.reopened.add(asked);
  else addAfresh(state, asked, choice);
  let index = asked;
  for (;;) {
    const { scope } = state.plan.steps[index]!;
    if (withDescendants) follow({ state, scope, choice }, () => true);
    const { owner } = state.plan.scopes[scope]!;
    if (owner < 0) return choice;
    if (canReopen(state, state.steps[owner]!)) choice.reopened.add(owner);
    else addAfresh(state, owner, choice);
    index = owner;
  }
}

function reopen(state: NaiveState, index: number): void {
  const step = state.steps[index]!;
  const { body, isMap } = step.plan;
  const scope = state.scopes[body!]!;
  const limit = state.plan.scopes[body!]!.timeoutMs;
  Object.assign(scope, newScope(), { isOpen: true, arrival: scope.arrival });
  scope.timeoutAt = limit === null ? null : state.run.at + limit;
  Object.assign(step, {
    status: step.isStarted ? "running" : "ready",
    skipReason: null,
    cause: null,
    error: null,
    settledOrder: 0,
    failure: "none",
    isCut: false,
    isLost: false,
  });
  if (!isMap) return;
  step.items = step.items!.map((item) =>
    item.status === "completed" ? item : newTask(item.plan, item.task, item.attempt),
  );
  if (step.plan.kind === "task") return;
  for (const item of step.items) if (item.status !== "completed") beginItem(state, item);
}

/** As if it had never been touched, but for the number of its attempts. */
function resetStep(state: NaiveState, index: number): void {
  const step = state.steps[index]!;
  const { body } = step.plan;
  if (body !== null) state.scopes[body] = { ...newScope(), arrival: state.scopes[body]!.arrival };
  state.steps[index] = { ...newStep(step.plan), attempt: step.attempt, itemAttempts: attemptsOf(step) };
}

/** Attempts of items, also of those that an earlier epoch had and a later one did not reach. */
function attemptsOf({ items, itemAttempts }: NaiveStep): readonly number[] {
  const size = Math.max(items?.length ?? 0, itemAttempts.length);
  return Array.from({ length: size }, (_, item) => items?.[item]?.attempt ?? itemAttempts[item] ?? 0);
}

/** What was made up for before may not be now. What was handled stays so: its handler has started. */
function judgeAgain(step: NaiveStep): void {
  if (step.status === "failed" && step.plan.onError === "fail" && step.failure === "tolerated") step.failure = "open";
}

/** Marks the steps that were stopped, or lost because of a failure that counts or of a stop; the mark goes when they run again. */
function markLost(state: NaiveState, members: readonly number[]): void {
  const steps = members.map((member) => state.steps[member]!);
  for (const step of steps) {
    if (step.status !== "failed" && isFailedOrLost(step)) step.isLost = true;
  }
  for (let changed = true; changed;) {
    changed = false;
    for (const step of steps) {
      if (step.isLost || step.skipReason !== "upstream_failed") continue;
      step.isLost = incomingOf(state, step).some((edge) => {
        const source = state.steps[edge.from]!;
        const isCause = source.isLost || (source.status === "failed" && source.failure === "counted");
        return isCause && edgeOf(state, edge) === "dead" && joinCounted(state, edge.index);
      });
      changed ||= step.isLost;
    }
  }
}
