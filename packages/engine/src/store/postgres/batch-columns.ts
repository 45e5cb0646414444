import type { Fence, RunCommit } from "../run-commit.ts";
import { NotStorable } from "../storable.ts";
import type { TraceRow } from "../trace-rows.ts";
import type { ColumnType, Value } from "./columns.ts";
import type { Parameter } from "./link.ts";
import { hotColumns, runTravel, stepTravel } from "./row-columns.ts";

/** What the statements of commits take: names of the columns of each `unnest`, and the types of their arrays. */

/** A batch of commits as the arrays of one statement. Positions of runs count from 1, as arrays of PostgreSQL do. */
export interface Batch {
  /** The statement that carries it. */
  readonly kind: "single" | "usual" | "queueing" | "full";
  readonly parameters: readonly Parameter[];
  /** The fences, in the order in which their numbers count. */
  readonly fences: readonly Fence[];
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
  ["commit_id", "text[]"],
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
  ["follows", "text[]"],
  ["trace_before", "integer[]"],
  ["due_after", "bigint[]"],
];

const more: ColumnType = ["more", "jsonb[]"];

/** `changed`: how many of its rows have to be there. A usual commit has a row of the trace, from `trace_before` to `trace_seq`. */
export const usualRunColumns: readonly ColumnType[] = [
  ...runHead,
  ["changed", "integer[]"],
  ["at", "bigint[]"],
  ["events", "json[]"],
  ...hotColumns(runTravel),
];

export const fullRunColumns: readonly ColumnType[] = [
  ...runHead,
  ["has_row", "integer[]"],
  ["is_quiet", "integer[]"],
  ...hotColumns(runTravel),
  more,
];

export function runHeadCells(commit: RunCommit, before: number | null, dueAfter: number | null): Value[] {
  return [commit.runId, commit.expectedVersion, commit.commitId, commit.follows ?? null, before, dueAfter];
}

/**
 * Number of the last trace event that the run must have for this commit to continue it; null where the commit brings none and
 * leaves the run's row alone.
 */
export function traceBefore(commit: RunCommit, trace: TraceRow | null): number | null {
  const said = commit.run?.traceSeq;
  if (trace === null) return said ?? null;
  if (said !== trace.lastSeq) {
    throw new NotStorable(`its trace ends at ${trace.lastSeq}, but its run row says ${said ?? trace.firstSeq - 1}`);
  }
  return trace.firstSeq - 1;
}

/** The attempt that the commit queues: all null where it queues none. `lease_ms` is null where nobody has it. */
const openColumns: readonly ColumnType[] = [
  ["dispatch", "text[]"],
  ["dispatch_attempt", "integer[]"],
  ["queue", "text[]"],
  ["handler", "text[]"],
  ["priority", "integer[]"],
  ["worker", "text[]"],
  ["lease_token", "text[]"],
  ["lease_ms", "bigint[]"],
  ["limit_key", "text[]"],
];

/** What an operation says beside the kernel's columns. */
const hostColumns: readonly ColumnType[] = [
  ...openColumns,
  ["stop_asked", "text[]"],
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
