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

/** A column that can hold exactly a field of type `T`. */
interface ColumnFor<T> extends Column {
  readonly kind: KindOf<NonNullable<T>>;
  readonly isNullable: null extends T ? true : false;
}

type Mapping<Row> = { readonly [Field in keyof Row]-?: ColumnFor<Row[Field]> };

const column = <const Kind extends ColumnKind>(name: string, kind: Kind) =>
  ({ name, kind, isNullable: false }) as const;
const optional = <const Kind extends ColumnKind>(name: string, kind: Kind) =>
  ({ name, kind, isNullable: true }) as const;

const runMapping = {
  status: column("status", "text"),
  phase: column("phase", "text"),
  epoch: column("epoch", "integer"),
  traceSeq: column("trace_seq", "integer"),
  settleSeq: column("settle_seq", "integer"),
  lastAt: column("last_at", "integer"),
  queuedAt: column("queued_at", "integer"),
  startedAt: optional("started_at", "integer"),
  finishedAt: optional("finished_at", "integer"),
  pausedAt: optional("paused_at", "integer"),
  cancelCount: column("cancel_count", "integer"),
  wakeAt: optional("wake_at", "integer"),
  timeoutAt: optional("timeout_at", "integer"),
  rateAt: optional("rate_at", "integer"),
  rateTat: column("rate_tat", "real"),
  stop: column("stop", "text"),
  stopCause: optional("stop_cause", "text"),
  remaining: column("remaining", "integer"),
  countedFailures: column("counted_failures", "integer"),
  toleratedFailures: column("tolerated_failures", "integer"),
  completedSteps: column("completed_steps", "integer"),
  failedSteps: column("failed_steps", "integer"),
  skippedSteps: column("skipped_steps", "integer"),
  canceledSteps: column("canceled_steps", "integer"),
  maxConcurrent: optional("max_concurrent", "integer"),
  timeoutMs: optional("timeout_ms", "integer"),
  mode: optional("mode", "text"),
  ranksId: optional("ranks_id", "text"),
  error: optional("error", "json"),
  failures: column("failures", "json"),
} satisfies Mapping<RunRow>;

const stepMapping = {
  step: column("step_index", "integer"),
  task: column("task_index", "integer"),
  status: column("status", "text"),
  skipReason: optional("skip_reason", "text"),
  stopCause: optional("stop_cause", "text"),
  error: optional("error", "json"),
  satisfied: column("satisfied", "integer"),
  dead: column("dead", "integer"),
  neutral: column("neutral", "integer"),
  cut: column("cut", "integer"),
  firedSeq: column("fired_seq", "integer"),
  settledSeq: column("settled_seq", "integer"),
  isEvaluating: column("is_evaluating", "boolean"),
  triggeredBy: optional("triggered_by", "json"),
  isCut: column("is_cut", "boolean"),
  activePorts: optional("active_ports", "json"),
  failure: column("failure", "text"),
  reachedEnd: column("reached_end", "boolean"),
  attempt: column("attempt", "integer"),
  attemptsUsed: column("attempts_used", "integer"),
  lost: column("lost", "integer"),
  resets: column("resets", "integer"),
  timer: optional("timer", "text"),
  timerAt: optional("timer_at", "integer"),
  deadlineAt: optional("deadline_at", "integer"),
  sleepMs: optional("sleep_ms", "integer"),
  timeoutMs: optional("timeout_ms", "integer"),
  deadlineMs: optional("deadline_ms", "integer"),
  signal: optional("signal", "text"),
  stop: column("stop", "text"),
  remaining: column("remaining", "integer"),
  countedFailures: column("counted_failures", "integer"),
  rateAt: optional("rate_at", "integer"),
  rateTat: column("rate_tat", "real"),
  items: optional("item_count", "integer"),
  nextItem: column("next_item", "integer"),
  completedItems: column("completed_items", "integer"),
  failedItems: column("failed_items", "integer"),
  skippedItems: column("skipped_items", "integer"),
  canceledItems: column("canceled_items", "integer"),
  readyAt: optional("ready_at", "integer"),
  startedAt: optional("started_at", "integer"),
  finishedAt: optional("finished_at", "integer"),
} satisfies Mapping<StepRow>;

interface MappedField {
  readonly field: string;
  readonly column: Column;
}

const fieldsOf = (mapping: { readonly [field: string]: Column }): readonly MappedField[] =>
  Object.entries(mapping).map(([field, mapped]) => ({ field, column: mapped }));

const runFields = fieldsOf(runMapping);
const stepFields = fieldsOf(stepMapping);

/** Columns of the kernel's run row, in the order in which `encodeRun` writes and `decodeRun` reads cells. */
export const runColumns: readonly Column[] = runFields.map(({ column: mapped }) => mapped);
/** Columns of the kernel's step row, likewise; the first two are the row's place. */
export const stepColumns: readonly Column[] = stepFields.map(({ column: mapped }) => mapped);

/** Appends the cells of a run row. Throws `NotStorable` for a value that its column cannot hold. */
export function encodeRun(row: RunRow, cells: Cell[] = []): Cell[] {
  return encodeRow(row, runFields, cells);
}

/** Appends the cells of a step row. Throws `NotStorable` for a value that its column cannot hold. */
export function encodeStep(row: StepRow, cells: Cell[] = []): Cell[] {
  return encodeRow(row, stepFields, cells);
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

function encodeRow(row: object, fields: readonly MappedField[], cells: Cell[]): Cell[] {
  const values = row as { readonly [field: string]: unknown };
  for (const { field, column: mapped } of fields) cells.push(encodeCell(values[field], mapped));
  return cells;
}

function decodeRow<Row extends object>(row: Row, fields: readonly MappedField[], cells: readonly Cell[]): Row {
  const values = row as { [field: string]: unknown };
  for (let index = 0; index < fields.length; index += 1) {
    const { field, column: mapped } = fields[index]!;
    values[field] = decodeCell(cells[index]!, mapped);
  }
  return row;
}

function encodeCell(value: unknown, mapped: Column): Cell {
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
