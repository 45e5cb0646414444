import { RunRow, StepRow } from "@braid/core";
import { encodeCell, runColumns, stepColumns } from "../codec.ts";
import type { Cell, Column, RowColumn } from "../codec.ts";
import { arrayOfType } from "./array-column.ts";
import type { Columns, ColumnType } from "./columns.ts";

/**
 * How rows of the kernel travel to the server. Columns that nearly every commit fills go as arrays, one for each; the others
 * hold what they hold in a new row nearly always, and go together as one JSON object of those that do not, or as nothing at all.
 * That is a third of the parameters, and neither side handles a default value.
 */
export interface TravelColumns<Row> {
  /** Column and index of its cell, each an array of its own. */
  readonly hot: readonly TravelColumn<Row>[];
  readonly cold: readonly TravelColumn<Row>[];
}

export interface TravelColumn<Row> extends RowColumn<Row> {
  /** Index among the cells of a row. */
  readonly index: number;
  readonly initial: Cell;
  /** Type of its column in the tables. */
  readonly type: string;
}

const hotRunNames = new Set([
  "status",
  "phase",
  "trace_seq",
  "settle_seq",
  "last_at",
  "queued_at",
  "started_at",
  "finished_at",
  "wake_at",
  "remaining",
  "completed_steps",
  "max_concurrent",
]);

const hotStepNames = new Set([
  "step_index",
  "task_index",
  "status",
  "satisfied",
  "fired_seq",
  "settled_seq",
  "triggered_by",
  "attempt",
  "attempts_used",
  "ready_at",
  "started_at",
  "finished_at",
  "remaining",
  "item_count",
  "next_item",
  "completed_items",
]);

/** Instants and durations are milliseconds, and need more than 32 bits. */
const bigNames = /_(?:at|ms)$/;

function typeOf({ name, kind }: Column): string {
  switch (kind) {
    case "integer":
      return bigNames.test(name) ? "bigint" : "integer";
    case "real":
      return "double precision";
    case "text":
    case "boolean":
    case "json":
      return kind;
    default:
      return kind satisfies never;
  }
}

function travel<Row>(columns: readonly RowColumn<Row>[], row: Row, hotNames: ReadonlySet<string>): TravelColumns<Row> {
  const initial = columns.map((column) => encodeCell(column.read(row), column));
  const all = columns.map((column, index): TravelColumn<Row> => {
    return { ...column, index, initial: initial[index]!, type: typeOf(column) };
  });
  return { hot: all.filter(({ name }) => hotNames.has(name)), cold: all.filter(({ name }) => !hotNames.has(name)) };
}

export const runTravel = travel(runColumns, new RunRow(), hotRunNames);
export const stepTravel = travel(stepColumns, new StepRow(0, 0), hotStepNames);

/** JSON object of the cold cells that differ from those of a new row; null if none does. */
export function packCold(cells: readonly Cell[], { cold }: TravelColumns<never>): string | null {
  let packed: Record<string, Cell> | null = null;
  for (const { name, index, initial } of cold) {
    const cell = cells[index]!;
    if (cell === initial) continue;
    packed ??= {};
    packed[name] = cell;
  }
  return packed === null ? null : JSON.stringify(packed);
}

/** Cells of the hot columns. */
export function hotCells(cells: readonly Cell[], { hot }: TravelColumns<never>): Cell[] {
  return hot.map(({ index }) => cells[index]!);
}

/**
 * Whether all cold columns hold what they hold in a new row. Written out, because a loop over the columns takes ten times as long;
 * the tests hold it to the table of columns.
 */
export function isColdRun(row: RunRow): boolean {
  return (
    row.epoch === 1 &&
    row.pausedAt === null &&
    row.cancelCount === 0 &&
    row.timeoutAt === null &&
    row.timeoutMs === null &&
    row.rateAt === null &&
    row.rateTat === 0 &&
    row.stop === "none" &&
    row.stopCause === null &&
    row.countedFailures === 0 &&
    row.toleratedFailures === 0 &&
    row.failedSteps === 0 &&
    row.skippedSteps === 0 &&
    row.canceledSteps === 0 &&
    row.mode === null &&
    row.ranksId === null &&
    row.error === null &&
    row.failures.length === 0
  );
}

/** As `isColdRun`. */
export function isColdStep(row: StepRow): boolean {
  return (
    row.skipReason === null &&
    row.stopCause === null &&
    row.error === null &&
    row.dead === 0 &&
    row.neutral === 0 &&
    row.cut === 0 &&
    !row.isEvaluating &&
    !row.isCut &&
    row.activePorts === null &&
    row.failure === "none" &&
    !row.reachedEnd &&
    row.lost === 0 &&
    row.resets === 0 &&
    row.timer === null &&
    row.timerAt === null &&
    row.deadlineAt === null &&
    row.sleepMs === null &&
    row.timeoutMs === null &&
    row.deadlineMs === null &&
    row.signal === null &&
    row.stop === "none" &&
    row.countedFailures === 0 &&
    row.rateAt === null &&
    row.rateTat === 0 &&
    row.failedItems === 0 &&
    row.skippedItems === 0 &&
    row.canceledItems === 0
  );
}

/** Adds the values of the hot columns of a row. Throws `NotStorable` for a value that its column cannot hold. */
export function putHot<Row>(columns: Columns, row: Row, { hot }: TravelColumns<Row>): void {
  for (const column of hot) {
    const value = column.read(row);
    columns.put(column.kind === "json" ? encodeCell(value, column) : value);
  }
}

/** Names and array types of the hot columns. */
export function hotColumns({ hot }: TravelColumns<never>): readonly ColumnType[] {
  return hot.map(({ name, type }) => [name, arrayOfType(type)]);
}

/** What a cold column holds in a new row, as a literal. */
export function initialOf({ kind, initial }: TravelColumn<never>): string {
  return initial === null ? "null" : literal(initial, kind);
}

/** Expression that gives the column from `u`, the row that travelled; `u.more` holds the cold ones. */
export function valueOf(column: TravelColumn<never>, isHot: boolean): string {
  const { name, kind, type, initial } = column;
  if (isHot) return `u.${name}`;
  const text = `u.more ->> '${name}'`;
  // Booleans travel as 0 and 1.
  const value = kind === "boolean" ? `(${text})::integer <> 0` : `(${text})::${type}`;
  return initial === null ? value : `coalesce(${value}, ${literal(initial, kind)})`;
}

function literal(initial: Cell, kind: Column["kind"]): string {
  if (kind === "boolean") return initial === 0 ? "false" : "true";
  return typeof initial === "string" ? `'${initial}'` : String(initial);
}

/** Cells as codec.ts wants them: booleans are 0 and 1. */
export function toCells(row: readonly unknown[]): Cell[] {
  return row.map((cell) => (typeof cell === "boolean" ? Number(cell) : (cell as Cell)));
}
