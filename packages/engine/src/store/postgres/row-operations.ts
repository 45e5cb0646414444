import type { Cell } from "../codec.ts";
import type { CancelAnswer, CancelRequest, Enqueue, RunCommit, TaskKey } from "../run-commit.ts";
import { payloadColumns } from "../prepared-commit.ts";
import type { PayloadColumn, PreparedCommit, PreparedPayload } from "../prepared-commit.ts";

/**
 * What one commit does to one row of `steps`. A statement can change a row only once, so all that a commit says of it is brought
 * together here, in the order that the port gives: the row, then `enqueue`, `closes`, `cancels`, and payloads.
 */
export interface RowOperation {
  readonly step: number;
  readonly task: number;
  /** Cells of the kernel's row; null: they stay as they are. */
  cells: readonly Cell[] | null;
  /** Whether the row is there already; null: not known. */
  isNew: boolean | null;
  /** The attempt that is open after the commit, if the commit queues one: what becomes of it is known without looking. */
  open: OpenAttempt | null;
  /** Attempts to be closed, whichever of them is the open one. */
  readonly closes: number[];
  /** The attempt to be stopped, if it is still the open one. */
  cancel: CancelRequest | null;
  /** Whether the commit wants to know what the row's attempt is afterwards. */
  isAsked: boolean;
  /** Payload columns to write, as JSON texts, and whether all others are emptied. */
  readonly payload: Partial<Record<PayloadColumn, string>>;
  isCleared: boolean;
  /** Whether there has to be such a row: it is queued, or has a payload. */
  isNeeded: boolean;
}

export interface OpenAttempt {
  readonly task: Enqueue;
  dispatch: "queued" | "leased" | "withdrawn" | null;
  stopAsked: string | null;
}

/** Operations of a commit, rows of the kernel first, in the order of the commit. */
export function rowOperations({ commit, steps, payloads }: PreparedCommit): readonly RowOperation[] {
  const operations = new Map<number, RowOperation>();
  const at = ({ step, task }: { readonly step: number; readonly task: number }): RowOperation => {
    const key = step * 2 ** 26 + task;
    let operation = operations.get(key);
    if (operation === undefined) {
      operation = newOperation(step, task);
      operations.set(key, operation);
    }
    return operation;
  };
  for (const [index, row] of commit.steps.entries()) {
    const operation = at(row);
    operation.cells = steps[index]!;
    operation.isNew = commit.newSteps === undefined ? null : commit.newSteps.has(row);
  }
  for (const task of commit.enqueue) queue(at(task), task);
  for (const close of commit.closes) addClose(at(close), close);
  for (const request of commit.cancels) addCancel(at(request), request);
  for (const payload of payloads) addPayload(at(payload), payload);
  return [...operations.values()];
}

function newOperation(step: number, task: number): RowOperation {
  return {
    step,
    task,
    cells: null,
    isNew: null,
    open: null,
    closes: [],
    cancel: null,
    isAsked: false,
    payload: {},
    isCleared: false,
    isNeeded: false,
  };
}

function queue(operation: RowOperation, task: Enqueue): void {
  operation.open = { task, dispatch: task.lease === null ? "queued" : "leased", stopAsked: null };
  operation.isNeeded = true;
}

function addClose(operation: RowOperation, { attempt }: TaskKey): void {
  const { open } = operation;
  if (open === null) operation.closes.push(attempt);
  else if (open.task.attempt === attempt) {
    open.dispatch = null;
    open.stopAsked = null;
  }
}

function addCancel(operation: RowOperation, request: CancelRequest): void {
  const { open } = operation;
  operation.isAsked = true;
  if (open === null) {
    // Of several requests for one attempt the strictest holds; the latest attempt is the only one that can be open.
    const known = operation.cancel;
    if (known?.attempt !== request.attempt || known.ifQueued) operation.cancel = request;
    return;
  }
  if (open.task.attempt !== request.attempt) return;
  if (open.dispatch === "queued") open.dispatch = "withdrawn";
  else if (open.dispatch === "leased" && !request.ifQueued) open.stopAsked = request.cause;
}

function addPayload(operation: RowOperation, { clear, columns }: PreparedPayload): void {
  operation.isNeeded = true;
  if (clear) {
    operation.isCleared = true;
    for (const column of payloadColumns) delete operation.payload[column];
  }
  Object.assign(operation.payload, columns);
}

/** What the store said of a row that an attempt was to be stopped in: step, task, dispatch, number, instant of the claim. */
export type StopRow = readonly [
  step: number,
  task: number,
  dispatch: string | null,
  attempt: number,
  claimedAt: number,
];

/** The answers to a commit's cancels, in the order asked. */
export function cancelAnswers(commit: RunCommit, rows: readonly StopRow[]): readonly CancelAnswer[] {
  if (commit.cancels.length === 0) return [];
  const found = new Map(rows.map((row) => [`${row[0]}/${row[1]}`, row]));
  return commit.cancels.map(({ step, task, attempt }) => {
    const key = { step, task, attempt };
    const [, , dispatch, open, claimedAt] = found.get(`${step}/${task}`) ?? [];
    if (open !== attempt) return { ...key, outcome: "gone", claimedAt: null };
    if (dispatch === "withdrawn") return { ...key, outcome: "withdrawn", claimedAt: null };
    if (dispatch === "leased") return { ...key, outcome: "claimed", claimedAt: claimedAt! };
    return { ...key, outcome: "gone", claimedAt: null };
  });
}
