import type { Cell } from "../codec.ts";
import { limitKey } from "../limits.ts";
import { followUpMsOf } from "../prepared-commit.ts";
import type { PreparedCommit } from "../prepared-commit.ts";
import {
  fenceColumns,
  fullRunColumns,
  fullStepColumns,
  hostStepColumns,
  itemColumns,
  outputColumns,
  runHeadCells,
  signalColumns,
  traceBefore,
  traceColumns,
} from "./batch-columns.ts";
import type { Batch } from "./batch-columns.ts";
import { Columns, parametersOf } from "./columns.ts";
import type { Value } from "./columns.ts";
import { hotCells, packCold, runTravel, stepTravel } from "./row-columns.ts";
import { rowOperations } from "./row-operations.ts";
import type { RowOperation } from "./row-operations.ts";

/** A commit with all that it does to each row. */
export interface Part {
  readonly prepared: PreparedCommit;
  readonly operations: readonly RowOperation[];
}

const runs = new Columns(fullRunColumns);
const fences = new Columns(fenceColumns);
const steps = new Columns(fullStepColumns);
const traces = new Columns(traceColumns);
const hosts = new Columns(hostStepColumns);
const items = new Columns(itemColumns);
const outputs = new Columns(outputColumns);
const signals = new Columns(signalColumns);
const all = [runs, fences, steps, traces, hosts, items, outputs, signals];

/** The batch for the full statement, which can carry anything. */
export function fullBatch(commits: readonly PreparedCommit[]): Batch {
  const parts = commits.map((prepared): Part => ({ prepared, operations: rowOperations(prepared) }));
  for (const columns of all) columns.clear();
  for (const [index, { prepared, operations }] of parts.entries()) {
    const position = index + 1;
    runs.add(fullRun(prepared));
    addFences(position, prepared);
    addTrace(traces, position, prepared);
    for (const operation of operations) {
      const { step, task, cells } = operation;
      if (cells === null) hosts.add([position, step, task, ...hostCells(operation)]);
      else steps.add(fullStep(position, operation, cells));
      addItems(items, position, operation);
    }
    if (prepared.runOutput !== null) outputs.add([position, prepared.runOutput]);
    for (const id of prepared.commit.usedSignals) signals.add([position, id]);
  }
  return {
    kind: "full",
    parameters: parametersOf(all),
    fences: parts.flatMap(({ prepared }) => prepared.commit.fences),
  };
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

const noRow = [...runTravel.hot.map(() => null), null];

function fullRun(prepared: PreparedCommit): Value[] {
  const { run } = prepared;
  const cells = run === null ? noRow : [...hotCells(run, runTravel), packCold(run, runTravel)];
  return [
    ...runHeadCells(prepared.commit, traceBefore(prepared.commit, prepared.trace), followUpMsOf(prepared.commit)),
    run === null ? 0 : 1,
    prepared.trace === null ? 1 : 0,
    ...cells,
  ];
}

function addFences(position: number, { commit }: PreparedCommit): void {
  for (const { step, task, token } of commit.fences) fences.add([position, step, task, token]);
}

function addTrace(rows: Columns, position: number, { commit, trace }: PreparedCommit): void {
  if (trace === null) return;
  rows.add([position, trace.firstSeq, trace.lastSeq, trace.at, commit.commitId, trace.events]);
}

const notQueued: readonly null[] = Array.from({ length: 10 }, () => null);

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
  const key = limitKey(task);
  if (lease === null) return [dispatch, attempt, queue, handler, priority, null, null, null, key, stopAsked];
  const { worker, token, forMs } = lease;
  const leaseMs = dispatch === "leased" ? Math.ceil(forMs) : null;
  return [dispatch, attempt, queue, handler, priority, worker, token, leaseMs, key, stopAsked];
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
function addItems(into: Columns, position: number, { step, task, payload, isCleared }: RowOperation): void {
  const list = payload.items ?? null;
  if (list !== null || isCleared) into.add([position, step, task, list]);
}
