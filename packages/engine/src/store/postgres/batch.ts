import type { Cell } from "../codec.ts";
import { followUpAfterMs } from "../port.ts";
import type { Fence } from "../port.ts";
import type { PreparedCommit } from "../prepared-commit.ts";
import { NotStorable } from "../storable.ts";
import { limitKey } from "../limits.ts";
import { Columns } from "./columns.ts";
import type { ColumnType, Value } from "./columns.ts";
import type { Parameter } from "./link.ts";
import { hotCells, hotColumns, isColdEmpty, packCold, runTravel, stepTravel } from "./row-columns.ts";
import { rowOperations } from "./row-operations.ts";
import type { RowOperation } from "./row-operations.ts";

/** A batch of commits as the arrays of one statement. Positions of runs count from 1, as arrays of PostgreSQL do. */
export interface Batch {
  readonly isUsual: boolean;
  readonly parameters: readonly Parameter[];
  /** The fences, in the order in which their numbers count. */
  readonly fences: readonly Fence[];
}

/** A commit with all that is made of it before it is known which statement will carry it. */
export interface Part {
  readonly prepared: PreparedCommit;
  readonly operations: readonly RowOperation[];
}

/**
 * The batch for the usual statement if nothing in it asks for more: rows that are known to be new or not, hold defaults in all
 * cold columns, and attempts that are queued with a new row and closed with an old one.
 */
export function makeBatch(commits: readonly PreparedCommit[]): Batch {
  const parts = commits.map((prepared): Part => ({ prepared, operations: rowOperations(prepared) }));
  return parts.every(isUsual) ? usualBatch(parts) : fullBatch(parts);
}

function isUsual({ prepared, operations }: Part): boolean {
  const { commit, run, runOutput } = prepared;
  if (run === null || runOutput !== null || commit.usedSignals.length > 0 || commit.cancels.length > 0) return false;
  return isColdEmpty(run, runTravel) && operations.every(isUsualOperation);
}

function isUsualOperation({ cells, isNew, open, closes, isCleared, payload }: RowOperation): boolean {
  if (cells === null || isNew === null || isCleared || closes.length > 1) return false;
  if (isNew ? closes.length > 0 : open !== null) return false;
  for (const column in payload) if (column !== "output") return false;
  return isColdEmpty(cells, stepTravel);
}

function usualBatch(parts: readonly Part[]): Batch {
  const runs = new Columns(usualRunColumns);
  const fences = new Columns(fenceColumns);
  const added = new Columns(addedStepColumns);
  const changed = new Columns(changedStepColumns);
  const trace = new Columns(traceColumns);
  for (const [index, { prepared, operations }] of parts.entries()) {
    const position = index + 1;
    const changes = operations.filter(({ isNew }) => isNew !== true).length;
    runs.add([...runHeadCells(prepared), changes, ...hotCells(prepared.run!, runTravel)]);
    addFences(fences, position, prepared);
    addTrace(trace, position, prepared);
    for (const operation of operations) {
      const { payload, closes } = operation;
      const hot = hotCells(operation.cells!, stepTravel);
      const output = payload.output ?? null;
      if (operation.isNew === true) added.add([position, ...hot, ...openCells(operation), output]);
      else changed.add([position, ...hot, closes[0] ?? null, output]);
    }
  }
  const parameters = [runs, fences, added, changed, trace].flatMap((columns) => columns.parameters());
  return { isUsual: true, parameters, fences: parts.flatMap(({ prepared }) => prepared.commit.fences) };
}

function fullBatch(parts: readonly Part[]): Batch {
  const runs = new Columns(fullRunColumns);
  const fences = new Columns(fenceColumns);
  const steps = new Columns(fullStepColumns);
  const trace = new Columns(traceColumns);
  const hosts = new Columns(hostStepColumns);
  const items = new Columns(itemColumns);
  const outputs = new Columns(outputColumns);
  const signals = new Columns(signalColumns);
  for (const [index, { prepared, operations }] of parts.entries()) {
    const position = index + 1;
    runs.add(fullRun(prepared));
    addFences(fences, position, prepared);
    addTrace(trace, position, prepared);
    for (const operation of operations) {
      const { step, task, cells } = operation;
      if (cells === null) hosts.add([position, step, task, ...hostCells(operation)]);
      else steps.add(fullStep(position, operation, cells));
      addItems(items, position, operation);
    }
    if (prepared.runOutput !== null) outputs.add([position, prepared.runOutput]);
    for (const id of prepared.commit.usedSignals) signals.add([position, id]);
  }
  const all = [runs, fences, steps, trace, hosts, items, outputs, signals];
  const parameters = all.flatMap((columns) => columns.parameters());
  return { isUsual: false, parameters, fences: parts.flatMap(({ prepared }) => prepared.commit.fences) };
}

/** Rows of new runs, as `create.ts` takes them. */
export interface NewRows {
  readonly steps: Columns;
  readonly items: Columns;
  readonly trace: Columns;
}

/** The rows of a new run: all of them are new, and hold whatever they like. */
export function addNewRows(into: NewRows, position: number, { prepared, operations }: Part): void {
  addTrace(into.trace, position, prepared);
  for (const operation of operations) {
    if (operation.cells === null) continue;
    into.steps.add(fullStep(position, operation, operation.cells));
    addItems(into.items, position, operation);
  }
}

const placeColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ["step_index", "integer[]"],
  ["task_index", "integer[]"],
];

export const fenceColumns: readonly ColumnType[] = [...placeColumns, ["token", "text[]"]];

export const traceColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ["first_seq", "integer[]"],
  ["last_seq", "integer[]"],
  ["at", "bigint[]"],
  ["events", "json[]"],
];

export const itemColumns: readonly ColumnType[] = [...placeColumns, ["items", "json[]"]];

export const outputColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ["output", "json[]"],
];

export const signalColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ["id", "text[]"],
];

/** What every run sends, beside the columns of its row. */
const runHead: readonly ColumnType[] = [
  ["id", "uuid[]"],
  ["expected", "integer[]"],
  ["commit_id", "text[]"],
  ["trace_before", "integer[]"],
  ["due_after", "bigint[]"],
];

const more: ColumnType = ["more", "jsonb[]"];

/** `changed`: how many of its rows have to be there. */
export const usualRunColumns: readonly ColumnType[] = [...runHead, ["changed", "integer[]"], ...hotColumns(runTravel)];

export const fullRunColumns: readonly ColumnType[] = [...runHead, ["has_row", "integer[]"], ...hotColumns(runTravel), more];

const runHeadCells = (prepared: PreparedCommit): Value[] => {
  const { runId, expectedVersion, commitId } = prepared.commit;
  return [runId, expectedVersion, commitId, traceBefore(prepared), dueAfterMs(prepared)];
};

const noRow = [...runTravel.hot.map(() => null), null];

function fullRun(prepared: PreparedCommit): Value[] {
  const { run } = prepared;
  const cells = run === null ? noRow : [...hotCells(run, runTravel), packCold(run, runTravel)];
  return [...runHeadCells(prepared), run === null ? 0 : 1, ...cells];
}

function addFences(fences: Columns, position: number, { commit }: PreparedCommit): void {
  for (const { step, task, token } of commit.fences) fences.add([position, step, task, token]);
}

function addTrace(rows: Columns, position: number, { trace }: PreparedCommit): void {
  if (trace !== null) rows.add([position, trace.firstSeq, trace.lastSeq, trace.at, trace.events]);
}

/**
 * Number of the last trace event that the run must have for this commit to continue it; null where the commit brings none and
 * leaves the run's row alone.
 */
function traceBefore({ commit, trace }: PreparedCommit): number | null {
  const said = commit.run?.traceSeq;
  if (trace === null) return said ?? null;
  if (said !== trace.lastSeq) {
    throw new NotStorable(`its trace ends at ${trace.lastSeq}, but its run row says ${said ?? trace.firstSeq - 1}`);
  }
  return trace.firstSeq - 1;
}

/** What an attempt becomes that the commit queues; `is_queued` is 0 where it queues none, and the others say nothing. */
const openColumns: readonly ColumnType[] = [
  ["is_queued", "integer[]"],
  ["dispatch", "text[]"],
  ["dispatch_attempt", "integer[]"],
  ["queue", "text[]"],
  ["handler", "text[]"],
  ["priority", "integer[]"],
  ["worker", "text[]"],
  ["lease_token", "text[]"],
  ["lease_ms", "bigint[]"],
  ["is_open_lease", "integer[]"],
  ["stop_asked", "text[]"],
  ["limit_key", "text[]"],
];

/** What an operation says beside the kernel's columns. */
const hostColumns: readonly ColumnType[] = [
  ...openColumns,
  /** Numbers of attempts to close, with commas around each. */
  ["closes", "text[]"],
  ["output", "json[]"],
  ["is_needed", "integer[]"],
  ["cancel_attempt", "integer[]"],
  ["cancel_cause", "text[]"],
  ["has_cancel", "integer[]"],
  ["is_cleared", "integer[]"],
  ["extra", "json[]"],
];

export const hostStepColumns = [...placeColumns, ...hostColumns];

export const fullStepColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ["may_insert", "integer[]"],
  ["may_update", "integer[]"],
  ...hotColumns(stepTravel),
  more,
  ...hostColumns,
];

export const addedStepColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ...hotColumns(stepTravel),
  ...openColumns,
  ["output", "json[]"],
];

export const changedStepColumns: readonly ColumnType[] = [
  ["p", "integer[]"],
  ...hotColumns(stepTravel),
  ["closes", "integer[]"],
  ["output", "json[]"],
];

const notQueued = [0, null, null, null, null, null, null, null, null, 0, null, null] as const;

function hostCells(operation: RowOperation): Value[] {
  const { closes, cancel, payload } = operation;
  const { output, items: _, ...others } = payload;
  return [
    ...openCells(operation),
    closes.length === 0 ? null : `,${closes.join(",")},`,
    output ?? null,
    operation.isNeeded ? 1 : 0,
    cancel?.attempt ?? null,
    cancel === null || cancel.ifQueued ? null : cancel.cause,
    operation.isAsked ? 1 : 0,
    operation.isCleared ? 1 : 0,
    Object.keys(others).length === 0 ? null : extraOf(others),
  ];
}

function openCells({ open }: RowOperation): readonly Value[] {
  if (open === null) return notQueued;
  const { task, dispatch, stopAsked } = open;
  const { attempt, queue, handler, priority, lease } = task;
  const isLeased = dispatch === "leased" ? 1 : 0;
  const key = limitKey(task);
  if (lease === null) return [1, dispatch, attempt, queue, handler, priority, null, null, null, 0, stopAsked, key];
  const { worker, token, forMs } = lease;
  return [1, dispatch, attempt, queue, handler, priority, worker, token, Math.ceil(forMs), isLeased, stopAsked, key];
}

/** The texts are JSON already. */
function extraOf(columns: Readonly<Record<string, string>>): string {
  const parts = Object.entries(columns).map(([name, text]) => `"${name}":${text}`);
  return `{${parts.join(",")}}`;
}

function fullStep(position: number, operation: RowOperation, cells: readonly Cell[]): Value[] {
  const { isNew } = operation;
  const head = [position, isNew === false ? 0 : 1, isNew === true ? 0 : 1];
  return [...head, ...hotCells(cells, stepTravel), packCold(cells, stepTravel), ...hostCells(operation)];
}

/** A new list of items replaces the old one; a cleared row loses it. */
function addItems(items: Columns, position: number, { step, task, payload, isCleared }: RowOperation): void {
  const list = payload.items ?? null;
  if (list !== null || isCleared) items.add([position, step, task, list]);
}

export function dueAfterMs({ commit }: PreparedCommit): number | null {
  const { followUpMs, cancels } = commit;
  const after = Math.min(followUpMs ?? Infinity, cancels.length > 0 ? followUpAfterMs : Infinity);
  return after === Infinity ? null : Math.ceil(after);
}
