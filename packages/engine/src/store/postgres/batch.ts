import type { Cell } from "../codec.ts";
import { followUpAfterMs } from "../port.ts";
import type { Fence } from "../port.ts";
import type { PreparedCommit } from "../prepared-commit.ts";
import { NotStorable } from "../storable.ts";
import { limitKey } from "../limits.ts";
import { arrayOf } from "./link.ts";
import type { Parameter } from "./link.ts";
import { packCold, runTravel, stepTravel } from "./row-columns.ts";
import { rowOperations } from "./row-operations.ts";
import type { RowOperation } from "./row-operations.ts";

/** Columns of one `unnest`: their values, row by row. */
export class Columns {
  readonly lists: (string | number | null)[][] = [];
  length = 0;

  add(row: readonly (string | number | null)[]): void {
    if (this.length === 0) while (this.lists.length < row.length) this.lists.push([]);
    if (row.length !== this.lists.length) throw new Error(`a row has ${row.length} values, not ${this.lists.length}`);
    for (let index = 0; index < row.length; index += 1) this.lists[index]!.push(row[index]!);
    this.length += 1;
  }

  /** The arrays as parameters; `count` of them where there is no row. */
  parameters(count: number): Parameter[] {
    if (this.length === 0) return Array.from({ length: count }, () => "{}");
    return this.lists.map(arrayOf);
  }
}

/** A batch of commits as the arrays of one statement. Positions of runs count from 1, as arrays of PostgreSQL do. */
export interface Batch {
  readonly runs: Columns;
  readonly steps: Columns;
  readonly trace: Columns;
  readonly fences: Columns;
  /** The fences, in the order in which their numbers count. */
  readonly fenceList: readonly Fence[];
  /** Null where nothing rare is in the batch: then the short statement does. */
  readonly rare: RareParts | null;
}

/** What most commits do not have. */
export interface RareParts {
  /** Operations on rows whose kernel columns stay as they are. */
  readonly hosts: Columns;
  readonly items: Columns;
  readonly outputs: Columns;
  readonly signals: Columns;
}

export function makeBatch(commits: readonly PreparedCommit[]): Batch {
  const batch = {
    runs: new Columns(),
    steps: new Columns(),
    trace: new Columns(),
    fences: new Columns(),
    fenceList: [] as Fence[],
  };
  const rare = { hosts: new Columns(), items: new Columns(), outputs: new Columns(), signals: new Columns() };
  let isRare = false;
  for (const [index, prepared] of commits.entries()) {
    const position = index + 1;
    const { commit, run, trace } = prepared;
    if (run === null || prepared.runOutput !== null || commit.usedSignals.length > 0 || commit.cancels.length > 0) isRare = true;
    batch.runs.add(runRow(prepared));
    for (const fence of commit.fences) {
      batch.fences.add([position, fence.step, fence.task, fence.token]);
      batch.fenceList.push(fence);
    }
    if (trace !== null) batch.trace.add([position, trace.firstSeq, trace.lastSeq, trace.at, trace.events]);
    for (const operation of rowOperations(prepared)) {
      if (operation.cells === null) {
        rare.hosts.add([position, operation.step, operation.task, ...hostCells(operation)]);
        isRare = true;
      } else {
        batch.steps.add(stepRow(position, operation, operation.cells));
        isRare ||= isRareOperation(operation);
      }
      addItems(rare.items, position, operation);
    }
    if (prepared.runOutput !== null) rare.outputs.add([position, prepared.runOutput]);
    for (const id of commit.usedSignals) rare.signals.add([position, id]);
  }
  return { ...batch, rare: isRare ? rare : null };
}

/** Names and types of what every run sends, beside the columns of its row. */
export const runHead = [
  ["id", "uuid[]"],
  ["expected", "integer[]"],
  ["commit_id", "text[]"],
  ["trace_before", "integer[]"],
  ["due_after", "bigint[]"],
  ["has_row", "integer[]"],
] as const;

const noRun = [...runTravel.hot.map(() => null), null];

function runRow(prepared: PreparedCommit): (string | number | null)[] {
  const { commit, run } = prepared;
  const cells = run === null ? noRun : [...runTravel.hot.map(({ index }) => run[index]!), packCold(run, runTravel)];
  const head = [commit.runId, commit.expectedVersion, commit.commitId, traceBefore(prepared), dueAfterMs(prepared)];
  return [...head, run === null ? 0 : 1, ...cells];
}

/**
 * Number of the last trace event that the run must have for this commit to continue it; null where the commit brings none and
 * leaves the run's row alone.
 */
export function traceBefore({ commit, trace }: PreparedCommit): number | null {
  const said = commit.run?.traceSeq;
  if (trace === null) return said ?? null;
  if (said !== trace.lastSeq) {
    throw new NotStorable(`its trace ends at ${trace.lastSeq}, but its run row says ${said ?? trace.firstSeq - 1}`);
  }
  return trace.firstSeq - 1;
}

/** Names and types of what an operation says beside the kernel's columns. */
export const hostColumns = [
  /** 1: the next eleven are what the row's attempt becomes; 0: they say nothing. */
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
  /** Numbers of attempts to close, with commas around each. */
  ["closes", "text[]"],
  ["output", "json[]"],
  ["is_needed", "integer[]"],
  ["cancel_attempt", "integer[]"],
  ["cancel_cause", "text[]"],
  ["has_cancel", "integer[]"],
  ["is_cleared", "integer[]"],
  ["extra", "json[]"],
] as const;

const notQueued = [0, null, null, null, null, null, null, null, null, 0, null, null] as const;

function hostCells(operation: RowOperation): (string | number | null)[] {
  const { open, closes, cancel, payload } = operation;
  const { output, items: _, ...others } = payload;
  return [
    ...(open === null ? notQueued : openCells(operation)),
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

function openCells({ open }: RowOperation): (string | number | null)[] {
  const { task, dispatch, stopAsked } = open!;
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

function stepRow(position: number, operation: RowOperation, cells: readonly Cell[]): (string | number | null)[] {
  const hot = stepTravel.hot.map(({ index }) => cells[index]!);
  const { isNew } = operation;
  return [position, isNew === false ? 0 : 1, isNew === true ? 0 : 1, ...hot, packCold(cells, stepTravel), ...hostCells(operation)];
}

/** Names and types of what stands before the kernel's columns of a row. */
export const stepHead = [
  ["p", "integer[]"],
  ["may_insert", "integer[]"],
  ["may_update", "integer[]"],
] as const;

const isRareOperation = ({ isAsked, isCleared, payload }: RowOperation): boolean => {
  const { output: _, ...others } = payload;
  return isAsked || isCleared || Object.keys(others).length > 0;
};

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
