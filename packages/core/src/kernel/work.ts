import type { JsonObject } from "../json.ts";
import type { Plan, PlanStep } from "../plan/plan.ts";
import { copyRunRow, copyStepRow } from "../state/copy.ts";
import type { Heap, Queue } from "../state/heap.ts";
import { placeRow } from "../state/run-state.ts";
import type { RunState } from "../state/run-state.ts";
import { StepRow } from "../state/rows.ts";
import type { RowChange, RunRow } from "../state/rows.ts";
import type { Command } from "./command.ts";
import type { TraceEvent, TraceType } from "./trace.ts";

const FEW = 12;

/**
 * One transition in the making: what it has touched, and what is still to be done. Rooms of the kernel do not call each
 * other in circles; they put work on these lists, and `transition` takes it off in one fixed order:
 *
 * 1. `settled`: resolve the outgoing edges of steps that have settled
 * 2. `joins`: decide joins whose edges have changed, in definition order
 * 3. `races`: joins that fired and cancel the rest
 * 4. `stops`: scopes in which a failure has counted
 * 5. `state.fired`: let steps go on whose join has fired (not while the run is paused)
 * 6. `scopes`: scopes without unsettled members, inner before outer
 *
 * So skips and races are decided before anything new starts, and a scope ends after all its members.
 */
export class Work {
  readonly state: RunState;
  readonly plan: Plan;
  readonly run: RunRow;
  readonly at: number;
  readonly changes: RowChange[] = [];
  readonly commands: Command[] = [];
  readonly trace: TraceEvent[] = [];

  readonly settled: Queue;
  readonly joins: Heap<number>;
  readonly races: Queue;
  readonly stops: Queue;
  readonly scopes: Heap<number>;
  /** Set when the list of the current phase may be over. */
  checkRun = false;

  #touched: Set<StepRow> | null = null;
  #isRunTouched = false;

  constructor(state: RunState, at: number) {
    this.state = state;
    this.plan = state.plan;
    this.run = state.run;
    this.at = at;
    this.settled = state.settled;
    this.joins = state.joins;
    this.races = state.races;
    this.stops = state.stops;
    this.scopes = state.ending;
  }

  step(index: number): PlanStep {
    return this.plan.steps[index]!;
  }

  /** The run's row, about to change. */
  touchRun(): RunRow {
    if (!this.#isRunTouched) {
      this.#isRunTouched = true;
      this.changes.push({ table: "run", before: copyRunRow(this.run), after: this.run });
    }
    return this.run;
  }

  /** The row of a step, about to change; made if it has none. */
  touchStep(step: number): StepRow {
    const row = this.state.steps[step];
    return row === undefined ? this.#create(step, -1) : this.touch(row);
  }

  touchItem(step: number, item: number): StepRow {
    const row = this.state.mapState(step).rows[item];
    return row === undefined ? this.#create(step, item) : this.touch(row);
  }

  touch(row: StepRow): StepRow {
    if (!this.#isTouched(row)) {
      this.#remember(row);
      this.changes.push({ table: "step", before: copyStepRow(row), after: row });
    }
    return row;
  }

  /** Hidden steps leave no trace: nobody wrote them. */
  emit(type: TraceType, row: StepRow, data: JsonObject | null): void {
    const step = this.step(row.step);
    if (step.hidden) return;
    // A map as a whole is no task; an ordinary step is its only one.
    const task = row.task >= 0 ? row.task : step.isMap ? -1 : 0;
    this.#append({ type, step: row.step, task, attempt: row.attempt, data });
  }

  emitRun(type: TraceType, data: JsonObject | null): void {
    this.#append({ type, step: -1, task: -1, attempt: 0, data });
  }

  command(command: Command): void {
    this.commands.push(command);
  }

  /** Asks for a decision of the join, once. */
  queueJoin(step: number): void {
    if (this.state.queuedJoin[step] === 1) return;
    this.state.queuedJoin[step] = 1;
    this.joins.push(step);
  }

  #append({ type, step, task, attempt, data }: Omit<TraceEvent, "seq" | "at">): void {
    const seq = ++this.touchRun().traceSeq;
    this.trace.push({ seq, at: this.at, type, step, task, attempt, data });
  }

  #create(step: number, task: number): StepRow {
    const row = new StepRow(step, task);
    placeRow(this.state, row);
    this.#remember(row);
    this.changes.push({ table: "step", before: null, after: row });
    return row;
  }

  #isTouched(row: StepRow): boolean {
    if (this.#touched !== null) return this.#touched.has(row);
    for (const change of this.changes) if (change.after === row) return true;
    return false;
  }

  /** Most transitions touch a handful of rows, for which a scan of `changes` is cheaper than a set. */
  #remember(row: StepRow): void {
    if (this.#touched !== null) {
      this.#touched.add(row);
    } else if (this.changes.length >= FEW) {
      this.#touched = new Set([row]);
      for (const change of this.changes) if (change.table === "step") this.#touched.add(change.after);
    }
  }
}
