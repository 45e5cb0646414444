import { RunRow, StepRow } from "@braid/core";
import { checkText, encodeJson, NotStorable } from "./storable.ts";

/**
 * The one place where the kernel's rows meet columns. Every field of `RunRow` and `StepRow` is one column: the mappings
 * below do not compile when a field is missing, is nobody's, or has another type than its column. Stores build their
 * statements from the column lists, and keep more columns of their own (leases, payloads) that are not named here.
 */

/** What a column holds in a database: a text, a number, or nothing. Booleans are 0 and 1, arrays and objects JSON text. */
export type Cell = string | number | null;

/** `integer` is exact (counts, indexes, instants and durations in whole milliseconds), `real` any finite number. */
export type ColumnKind = "integer" | "real" | "text" | "boolean" | "json";

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly isNullable: boolean;
}

type KindOf<T> = [T] extends [boolean]
  ? "boolean"
  : [T] extends [number]
    ? "integer" | "real"
    : [T] extends [string]
      ? "text"
      : "json";

/** A column of the rows of one table. */
export interface RowColumn<Row> extends Column {
  /**
   * The field it holds. A function of its own for each column: the engine then knows the place of the field, where a lookup by a name
   * that changes from one column to the next takes three times as long.
   */
  readonly read: (row: Row) => unknown;
}

/** A column that can hold exactly a field of type `T`. */
interface ColumnFor<Row, T> extends RowColumn<Row> {
  readonly kind: KindOf<NonNullable<T>>;
  readonly isNullable: null extends T ? true : false;
  readonly read: (row: Row) => T;
}

type Mapping<Row> = { readonly [Field in keyof Row]-?: ColumnFor<Row, Row[Field]> };

const column = <const Kind extends ColumnKind, Read>(name: string, kind: Kind, read: Read) =>
  ({ name, kind, isNullable: false, read }) as const;
const optional = <const Kind extends ColumnKind, Read>(name: string, kind: Kind, read: Read) =>
  ({ name, kind, isNullable: true, read }) as const;

const runMapping = {
  status: column("status", "text", (row: RunRow) => row.status),
  phase: column("phase", "text", (row: RunRow) => row.phase),
  epoch: column("epoch", "integer", (row: RunRow) => row.epoch),
  traceSeq: column("trace_seq", "integer", (row: RunRow) => row.traceSeq),
  settleSeq: column("settle_seq", "integer", (row: RunRow) => row.settleSeq),
  lastAt: column("last_at", "integer", (row: RunRow) => row.lastAt),
  queuedAt: column("queued_at", "integer", (row: RunRow) => row.queuedAt),
  startedAt: optional("started_at", "integer", (row: RunRow) => row.startedAt),
  finishedAt: optional("finished_at", "integer", (row: RunRow) => row.finishedAt),
  pausedAt: optional("paused_at", "integer", (row: RunRow) => row.pausedAt),
  cancelCount: column("cancel_count", "integer", (row: RunRow) => row.cancelCount),
  wakeAt: optional("wake_at", "integer", (row: RunRow) => row.wakeAt),
  timeoutAt: optional("timeout_at", "integer", (row: RunRow) => row.timeoutAt),
  rateAt: optional("rate_at", "integer", (row: RunRow) => row.rateAt),
  rateTat: column("rate_tat", "real", (row: RunRow) => row.rateTat),
  stop: column("stop", "text", (row: RunRow) => row.stop),
  stopCause: optional("stop_cause", "text", (row: RunRow) => row.stopCause),
  remaining: column("remaining", "integer", (row: RunRow) => row.remaining),
  countedFailures: column("counted_failures", "integer", (row: RunRow) => row.countedFailures),
  toleratedFailures: column("tolerated_failures", "integer", (row: RunRow) => row.toleratedFailures),
  completedSteps: column("completed_steps", "integer", (row: RunRow) => row.completedSteps),
  failedSteps: column("failed_steps", "integer", (row: RunRow) => row.failedSteps),
  skippedSteps: column("skipped_steps", "integer", (row: RunRow) => row.skippedSteps),
  canceledSteps: column("canceled_steps", "integer", (row: RunRow) => row.canceledSteps),
  maxConcurrent: optional("max_concurrent", "integer", (row: RunRow) => row.maxConcurrent),
  timeoutMs: optional("timeout_ms", "integer", (row: RunRow) => row.timeoutMs),
  mode: optional("mode", "text", (row: RunRow) => row.mode),
  ranksId: optional("ranks_id", "text", (row: RunRow) => row.ranksId),
  error: optional("error", "json", (row: RunRow) => row.error),
  failures: column("failures", "json", (row: RunRow) => row.failures),
} satisfies Mapping<RunRow>;

const stepMapping = {
  step: column("step_index", "integer", (row: StepRow) => row.step),
  task: column("task_index", "integer", (row: StepRow) => row.task),
  status: column("status", "text", (row: StepRow) => row.status),
  skipReason: optional("skip_reason", "text", (row: StepRow) => row.skipReason),
  stopCause: optional("stop_cause", "text", (row: StepRow) => row.stopCause),
  error: optional("error", "json", (row: StepRow) => row.error),
  satisfied: column("satisfied", "integer", (row: StepRow) => row.satisfied),
  dead: column("dead", "integer", (row: StepRow) => row.dead),
  neutral: column("neutral", "integer", (row: StepRow) => row.neutral),
  cut: column("cut", "integer", (row: StepRow) => row.cut),
  firedSeq: column("fired_seq", "integer", (row: StepRow) => row.firedSeq),
  settledSeq: column("settled_seq", "integer", (row: StepRow) => row.settledSeq),
  isEvaluating: column("is_evaluating", "boolean", (row: StepRow) => row.isEvaluating),
  triggeredBy: optional("triggered_by", "json", (row: StepRow) => row.triggeredBy),
  isCut: column("is_cut", "boolean", (row: StepRow) => row.isCut),
  activePorts: optional("active_ports", "json", (row: StepRow) => row.activePorts),
  failure: column("failure", "text", (row: StepRow) => row.failure),
  reachedEnd: column("reached_end", "boolean", (row: StepRow) => row.reachedEnd),
  attempt: column("attempt", "integer", (row: StepRow) => row.attempt),
  attemptsUsed: column("attempts_used", "integer", (row: StepRow) => row.attemptsUsed),
  lost: column("lost", "integer", (row: StepRow) => row.lost),
  resets: column("resets", "integer", (row: StepRow) => row.resets),
  timer: optional("timer", "text", (row: StepRow) => row.timer),
  timerAt: optional("timer_at", "integer", (row: StepRow) => row.timerAt),
  deadlineAt: optional("deadline_at", "integer", (row: StepRow) => row.deadlineAt),
  sleepMs: optional("sleep_ms", "integer", (row: StepRow) => row.sleepMs),
  timeoutMs: optional("timeout_ms", "integer", (row: StepRow) => row.timeoutMs),
  deadlineMs: optional("deadline_ms", "integer", (row: StepRow) => row.deadlineMs),
  signal: optional("signal", "text", (row: StepRow) => row.signal),
  stop: column("stop", "text", (row: StepRow) => row.stop),
  remaining: column("remaining", "integer", (row: StepRow) => row.remaining),
  countedFailures: column("counted_failures", "integer", (row: StepRow) => row.countedFailures),
  rateAt: optional("rate_at", "integer", (row: StepRow) => row.rateAt),
  rateTat: column("rate_tat", "real", (row: StepRow) => row.rateTat),
  items: optional("item_count", "integer", (row: StepRow) => row.items),
  nextItem: column("next_item", "integer", (row: StepRow) => row.nextItem),
  completedItems: column("completed_items", "integer", (row: StepRow) => row.completedItems),
  failedItems: column("failed_items", "integer", (row: StepRow) => row.failedItems),
  skippedItems: column("skipped_items", "integer", (row: StepRow) => row.skippedItems),
  canceledItems: column("canceled_items", "integer", (row: StepRow) => row.canceledItems),
  readyAt: optional("ready_at", "integer", (row: StepRow) => row.readyAt),
  startedAt: optional("started_at", "integer", (row: StepRow) => row.startedAt),
  finishedAt: optional("finished_at", "integer", (row: StepRow) => row.finishedAt),
} satisfies Mapping<StepRow>;

interface MappedField<Row> {
  readonly field: string;
  readonly column: RowColumn<Row>;
}

const fieldsOf = <Row>(mapping: { readonly [field: string]: RowColumn<Row> }): readonly MappedField<Row>[] =>
  Object.entries(mapping).map(([field, mapped]) => ({ field, column: mapped }));

const runFields = fieldsOf<RunRow>(runMapping);
const stepFields = fieldsOf<StepRow>(stepMapping);

/** Columns of the kernel's run row, in the order in which `encodeRun` writes and `decodeRun` reads cells. */
export const runColumns: readonly RowColumn<RunRow>[] = runFields.map(({ column: mapped }) => mapped);
/** Columns of the kernel's step row, likewise; the first two are the row's place. */
export const stepColumns: readonly RowColumn<StepRow>[] = stepFields.map(({ column: mapped }) => mapped);

/** Appends the cells of a run row. Throws `NotStorable` for a value that its column cannot hold. */
export function encodeRun(row: RunRow, cells: Cell[] = []): Cell[] {
  for (const mapped of runColumns) cells.push(encodeCell(mapped.read(row), mapped));
  return cells;
}

/** Appends the cells of a step row. Throws `NotStorable` for a value that its column cannot hold. */
export function encodeStep(row: StepRow, cells: Cell[] = []): Cell[] {
  for (const mapped of stepColumns) cells.push(encodeCell(mapped.read(row), mapped));
  return cells;
}

/** A fresh row of the cells that start at `offset`. */
export function decodeRun(cells: readonly Cell[], offset = 0): RunRow {
  return decodeRow(new RunRow(), runFields, cells.slice(offset, offset + runFields.length));
}

/** A fresh row of the cells that start at `offset`. */
export function decodeStep(cells: readonly Cell[], offset = 0): StepRow {
  const row = new StepRow(cells[offset] as number, cells[offset + 1] as number);
  return decodeRow(row, stepFields, cells.slice(offset, offset + stepFields.length));
}

function decodeRow<Row extends object>(row: Row, fields: readonly MappedField<Row>[], cells: readonly Cell[]): Row {
  const values = row as { [field: string]: unknown };
  for (let index = 0; index < fields.length; index += 1) {
    const { field, column: mapped } = fields[index]!;
    values[field] = decodeCell(cells[index]!, mapped);
  }
  return row;
}

/** The cell of a value. Throws `NotStorable` where its column cannot hold it. */
export function encodeCell(value: unknown, mapped: Column): Cell {
  if (value === null && mapped.isNullable) return null;
  switch (mapped.kind) {
    case "integer":
      if (Number.isSafeInteger(value)) return value as number;
      break;
    case "real":
      if (Number.isFinite(value)) return value as number;
      break;
    case "text":
      if (typeof value === "string") return checkText(value, `column \`${mapped.name}\``);
      break;
    case "boolean":
      if (typeof value === "boolean") return value ? 1 : 0;
      break;
    case "json":
      if (typeof value === "object" && value !== null) return encodeJson(value, `column \`${mapped.name}\``);
      break;
    default:
      mapped.kind satisfies never;
  }
  throw new NotStorable(`column \`${mapped.name}\` holds ${mapped.kind} values, not ${String(value)}`);
}

function decodeCell(cell: Cell, mapped: Column): unknown {
  if (cell === null) return null;
  if (mapped.kind === "boolean") return cell !== 0;
  return mapped.kind === "json" ? JSON.parse(cell as string) : cell;
}
