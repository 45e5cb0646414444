import type { RunOverrides, TimerKind } from "../src/kernel/event.ts";
import type { CancelCause, RowStatus, RunStatus, SkipReason, StepError } from "../src/kernel/status.ts";
import type { Plan, PlanStep } from "../src/plan/plan.ts";
import type { FailureState, RunPhase, StopCause, StopState } from "../src/state/rows.ts";

/**
 * The state of the naive model: plain facts about steps, items and scopes, and a counter that says what came before what.
 * Everything that follows from these facts (edges, counters, slots, ends of branches) is worked out anew whenever it is
 * asked for, by looking at everything.
 */
export class NaiveState {
  readonly plan: Plan;
  readonly steps: NaiveStep[];
  readonly scopes: NaiveScope[];
  readonly run: NaiveRun = {
    status: null,
    phase: "main",
    epoch: 1,
    at: 0,
    pausedAt: null,
    timeoutAt: null,
    cancelCount: 0,
    overrides: {},
    ranks: null,
    hasTimedOut: false,
    isEvaluating: false,
    outputError: null,
  };
  /** Attempts admitted by the latest event, in order. */
  admitted: [step: number, task: number][] = [];
  /** Joins that fired and have yet to cancel the rest. */
  races: number[] = [];
  /** Scopes in which a failure has counted and that have yet to stop. */
  stops: number[] = [];
  #order = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    this.steps = plan.steps.map((step) => newStep(step));
    this.scopes = plan.scopes.map(() => newScope());
  }

  /** A number that is higher than all before. */
  next(): number {
    this.#order += 1;
    return this.#order;
  }

  /** Delays that begin during a pause are counted from its instant, because resuming moves them by its length. */
  get clock(): number {
    return this.run.pausedAt ?? this.run.at;
  }

  get isPaused(): boolean {
    return this.run.pausedAt !== null;
  }
}

interface NaiveRun {
  /** Null before `run.create`. */
  status: RunStatus | null;
  phase: RunPhase;
  epoch: number;
  at: number;
  pausedAt: number | null;
  timeoutAt: number | null;
  cancelCount: number;
  overrides: RunOverrides;
  ranks: readonly number[] | null;
  hasTimedOut: boolean;
  isEvaluating: boolean;
  outputError: StepError | null;
}

/** One unit of work: an ordinary step, or an item of a map. */
export interface NaiveTask {
  readonly plan: PlanStep;
  /** -1 for the step itself. */
  readonly task: number;
  status: RowStatus;
  skipReason: SkipReason | null;
  /** Why it was asked to stop, or was stopped. */
  cause: StopCause | null;
  /** Of a withdrawn attempt: why it is not wanted again, or null when it only makes way for a pause. */
  withdrawnFor: CancelCause | null;
  error: StepError | null;
  isStarted: boolean;
  attempt: number;
  used: number;
  lost: number;
  timer: { kind: Extract<TimerKind, "delay" | "retry" | "sleep">; at: number } | null;
  deadlineAt: number | null;
  isEvaluating: boolean;
  sleepMs: number | null;
  timeoutMs: number | null;
  deadlineMs: number | null;
  signal: string | null;
  /** When it settled, as a number from `next`; 0 before. */
  settledOrder: number;
  /** Of a failed step or item. */
  failure: FailureState;
}

export interface NaiveStep extends NaiveTask {
  /** When its join fired; 0 before. */
  firedOrder: number;
  /** Whether it has gone on after its join fired. */
  hasGoneOn: boolean;
  triggeredBy: readonly number[] | null;
  isCut: boolean;
  /** Whether an epoch that has ended lost it to a failure that counted or to a stop. */
  isLost: boolean;
  activePorts: readonly string[] | null;
  /** Of a map: how many items it has, once that is known. */
  itemCount: number | null;
  /** Of a map, once it is ready. */
  items: NaiveTask[] | null;
  /** Of a map that runs again: how many attempts each item has had. */
  itemAttempts: readonly number[];
}

export interface NaiveScope {
  isOpen: boolean;
  stop: StopState;
  /** What its members were told when it stopped. */
  cause: CancelCause | null;
  /** Whether its own timeout stopped it. */
  hasTimedOut: boolean;
  timeoutAt: number | null;
  /** Theoretical arrival time of its rate limit. */
  arrival: number;
  rateAt: number | null;
}

export function newTask(plan: PlanStep, task: number, attempt = 0): NaiveTask {
  return {
    plan,
    task,
    status: "pending",
    skipReason: null,
    cause: null,
    withdrawnFor: null,
    error: null,
    isStarted: false,
    attempt,
    used: 0,
    lost: 0,
    timer: null,
    deadlineAt: null,
    isEvaluating: false,
    sleepMs: null,
    timeoutMs: null,
    deadlineMs: null,
    signal: null,
    settledOrder: 0,
    failure: "none",
  };
}

export function newStep(plan: PlanStep): NaiveStep {
  return {
    ...newTask(plan, -1),
    firedOrder: 0,
    hasGoneOn: false,
    triggeredBy: null,
    isCut: false,
    isLost: false,
    activePorts: null,
    itemCount: null,
    items: null,
    itemAttempts: [],
  };
}

export function newScope(): NaiveScope {
  return { isOpen: false, stop: "none", cause: null, hasTimedOut: false, timeoutAt: null, arrival: 0, rateAt: null };
}

export const isSettled = (task: NaiveTask): boolean => task.settledOrder > 0;

export const isOutside = (scope: NaiveScope): boolean => scope.stop === "outside" || scope.stop === "outside_soft";

/** Every task that could hold a slot: ordinary steps and items. */
export function allTasks(state: NaiveState): NaiveTask[] {
  return state.steps.flatMap((step): NaiveTask[] => [step, ...(step.items ?? [])]);
}

/** Everything that a block holds, at any depth. */
export function stepsInside(state: NaiveState, index: number): number[] {
  const { body, isMap } = state.plan.steps[index]!;
  const found: number[] = [];
  if (body === null || isMap) return found;
  for (const member of state.plan.scopes[body]!.members) found.push(member, ...stepsInside(state, member));
  return found;
}
