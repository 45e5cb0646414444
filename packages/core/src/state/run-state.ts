import type { TimerKind } from "../kernel/event.ts";
import { isTerminal } from "../kernel/status.ts";
import type { Plan } from "../plan/plan.ts";
import { assignRunRow, assignStepRow } from "./copy.ts";
import { Heap, IndexedHeap, Queue } from "./heap.ts";
import { indexOf } from "./plan-index.ts";
import type { PlanIndex } from "./plan-index.ts";
import { RunRow } from "./rows.ts";
import type { RowChange, StepRow } from "./rows.ts";

/** A timer of a row. It holds only while the row still names that instant. */
export interface Timer {
  readonly at: number;
  readonly step: number;
  readonly task: number;
  readonly kind: TimerKind;
}

/** Derived counters and candidates of one scope. */
export interface ScopeState {
  /** Slots reserved by tasks in it, at any depth. */
  active: number;
  /** Of these, admitted and not started (what the rate limit reserves). */
  notStarted: number;
  /** Entry steps that want a slot: ordinary members, and owners of inner scopes that have one to offer. */
  readonly ready: IndexedHeap;
}

/** Items of a map that have a row and are not terminal; those that want another slot are also in `ready`. */
export interface MapState {
  readonly rows: (StepRow | undefined)[];
  readonly live: Set<number>;
  readonly ready: Heap<number>;
}

/**
 * The state of one run: its rows, and indexes over them that are rebuilt on load and never stored. `transition` mutates
 * it in place; the caller owns it.
 */
export class RunState {
  readonly plan: Plan;
  readonly index: PlanIndex;
  readonly runId: string;
  readonly run: RunRow;
  readonly steps: (StepRow | undefined)[];
  readonly maps = new Map<number, MapState>();
  ranks: readonly number[] | null = null;

  scopes: ScopeState[] = [];
  timers!: Heap<Timer>;
  /** Best candidate below an entry of a ready heap: the entry itself, or a step of the scope it owns. */
  leaf!: Int32Array;
  /** Scopes that a rate limit holds back. */
  readonly rateBlocked = new Set<number>();
  /** Worklists of `kernel/work.ts`: empty between transitions, kept so that none has to be made for each. */
  readonly settled = new Queue();
  readonly joins: Heap<number>;
  readonly races = new Queue();
  readonly stops = new Queue();
  readonly ending: Heap<number>;
  /** Steps whose join has fired and that have not gone on; they stay here while the run is paused. */
  fired!: Heap<number>;
  /** Marks of the worklist of joins, by step. */
  readonly queuedJoin: Uint8Array;

  constructor(plan: Plan, runId: string, run: RunRow) {
    this.plan = plan;
    this.index = indexOf(plan);
    this.runId = runId;
    this.run = run;
    this.steps = Array.from({ length: plan.steps.length });
    this.queuedJoin = new Uint8Array(plan.steps.length);
    this.joins = new Heap((a, b) => a < b);
    const { depth } = this.index;
    this.ending = new Heap((a, b) => depth[a]! > depth[b]! || (depth[a] === depth[b] && a < b));
    this.resetIndexes();
  }

  resetIndexes(): void {
    const size = this.plan.steps.length;
    const positions = new Int32Array(size).fill(-1);
    this.leaf = Int32Array.from({ length: size }, (_, step) => step);
    this.scopes = this.plan.scopes.map(() => ({
      active: 0,
      notStarted: 0,
      ready: new IndexedHeap(positions, (a, b) => this.isBefore(a, b)),
    }));
    this.timers = new Heap((a, b) => a.at < b.at || (a.at === b.at && isTimerBefore(a, b)));
    this.fired = new Heap((a, b) => a < b);
    this.rateBlocked.clear();
  }

  mapState(step: number): MapState {
    let map = this.maps.get(step);
    if (map === undefined) {
      map = { rows: [], live: new Set(), ready: new Heap((a, b) => a < b) };
      this.maps.set(step, map);
    }
    return map;
  }

  rankOf(step: number): number {
    return this.ranks === null ? this.plan.steps[step]!.rank : (this.ranks[step] ?? 0);
  }

  /** The total order of admission: step priority, longest remaining path, definition order. */
  isBefore(entryA: number, entryB: number): boolean {
    const a = this.leaf[entryA]!;
    const b = this.leaf[entryB]!;
    if (a === b) return false;
    const priority = this.plan.steps[b]!.priority - this.plan.steps[a]!.priority;
    if (priority !== 0) return priority < 0;
    const rank = this.rankOf(b) - this.rankOf(a);
    if (rank !== 0) return rank < 0;
    return a < b;
  }
}

const isTimerBefore = (a: Timer, b: Timer): boolean =>
  a.step < b.step || (a.step === b.step && (a.task < b.task || (a.task === b.task && a.kind < b.kind)));

/** The row of a step, or undefined while it is untouched. */
export function stepRow(state: RunState, step: number): StepRow | undefined {
  return state.steps[step];
}

export function itemRow(state: RunState, step: number, item: number): StepRow | undefined {
  return state.maps.get(step)?.rows[item];
}

/** The row a task event is about: the item's, or the step's for `task` -1. */
export function taskRow(state: RunState, step: number, task: number): StepRow | undefined {
  return task < 0 ? state.steps[step] : itemRow(state, step, task);
}

/** Puts a row where it belongs. */
export function placeRow(state: RunState, row: StepRow): void {
  if (row.task < 0) state.steps[row.step] = row;
  else state.mapState(row.step).rows[row.task] = row;
}

/** Undoes transitions whose commit was refused. Pass the changes of the latest transition first. */
export function restoreRows(state: RunState, changes: readonly RowChange[]): void {
  for (const change of changes.toReversed()) {
    if (change.table === "run") {
      assignRunRow(change.after, change.before ?? new RunRow());
    } else if (change.before === null) {
      if (change.after.task < 0) state.steps[change.after.step] = undefined;
      else state.mapState(change.after.step).rows[change.after.task] = undefined;
    } else {
      assignStepRow(change.after, change.before);
    }
  }
}

/** Whether a timer of the heap still is the one its row names. */
export function isTimerOpen(state: RunState, timer: Timer): boolean {
  const { step, task, kind, at } = timer;
  if (step < 0) return at === (kind === "rate" ? state.run.rateAt : state.run.timeoutAt);
  const row = taskRow(state, step, task);
  if (row === undefined || isTerminal(row.status)) return false;
  if (kind === "rate") return row.rateAt === at;
  if (kind === "deadline" || kind === "timeout") return row.deadlineAt === at;
  return row.timer === kind && row.timerAt === at;
}
