import { runColumns } from "../codec.ts";
import type { Cell } from "../codec.ts";
import type { CancelAnswer, CommitAnswer, Enqueue, Fence, RunCommit, TaskKey } from "../run-commit.ts";
import { checkTrace, dueAfter } from "../prepared-commit.ts";
import type { PreparedCommit, PreparedPayload } from "../prepared-commit.ts";
import { NotStorable } from "../storable.ts";
import type { Connection } from "./connection.ts";
import { closeNames, commitNames, queueNames, runUpdate, stepUpsert } from "./row-statements.ts";
import type { Filled } from "./row-statements.ts";
import { queueCells, rowWrites } from "./row-writes.ts";

/**
 * One commit of one run, inside a write transaction. The guard and the fences are read first, and nothing is written
 * unless all of them hold; the transaction holds the only write lock, so what was read stays true. No statement here
 * touches more rows than the commit names.
 */

const guard =
  "select version, last_commit_id, last_commit_version, last_cancels, trace_seq, wake_at from runs where id = ?";

const readFence = `
select 1 from steps where run_id = ? and step_index = ? and task_index = ? and lease_token = ? and dispatch = 'leased'`;

const openAttempt = `
update steps set ${queueNames.map((name) => `${name} = ?`).join(", ")}
where run_id = ? and step_index = ? and task_index = ?`;

const closeAttempt = `
update steps set ${closeNames.map((name) => `${name} = null`).join(", ")}
where run_id = ? and step_index = ? and task_index = ? and dispatch_attempt = ?`;

const readAttempt = `
select dispatch, claimed_at from steps
where run_id = ? and step_index = ? and task_index = ? and dispatch_attempt = ?`;

const withdraw = "update steps set dispatch = 'withdrawn' where run_id = ? and step_index = ? and task_index = ?";
const askToStop = "update steps set stop_asked = ? where run_id = ? and step_index = ? and task_index = ?";

const useSignal = "update signals set used_at = ?, notice_at = null where run_id = ? and id = ? and used_at is null";

const addTrace = "insert into trace_events (run_id, first_seq, last_seq, at, events) values (?, ?, ?, ?, ?)";

const finishWithoutRow = `update runs set ${commitNames.map((name) => `${name} = ?`).join(", ")} where id = ?`;

const wakeIndex = runColumns.findIndex(({ name }) => name === "wake_at");

/** Applies the commit if the run still is what it was computed from, and answers it. */
export function applyCommit(connection: Connection, prepared: PreparedCommit, now: number): CommitAnswer {
  const { commit } = prepared;
  const found = connection.row(guard, [commit.runId]);
  if (found === undefined) return { kind: "conflict" };
  const [version, lastCommitId, lastVersion, lastCancels, traceSeq, wakeAt] = found;
  if (lastCommitId === commit.commitId) {
    const cancels = lastCancels === null ? [] : (JSON.parse(lastCancels as string) as CancelAnswer[]);
    return { kind: "repeat", version: lastVersion as number, cancels };
  }
  const { expectedVersion, follows = lastCommitId } = commit;
  if (version !== expectedVersion || lastCommitId !== follows) return { kind: "conflict" };
  const fences = commit.fences.filter((fence) => !holds(connection, commit.runId, fence));
  if (fences.length > 0) return { kind: "fenced", fences };
  checkTrace(prepared, traceSeq as number);

  const next = commit.expectedVersion + 1;
  const cancels = applyRows(connection, prepared, { version: next, now });
  const dueAt = dueAfter(commit, (prepared.run === null ? wakeAt : prepared.run[wakeIndex]) as number | null, now);
  const answers = cancels.length === 0 ? null : JSON.stringify(cancels);
  const cells: Cell[] = [next, commit.commitId, next, answers, dueAt];
  if (prepared.run === null) connection.run(finishWithoutRow, [...cells, commit.runId]);
  else fill(connection, runUpdate(cells, prepared.run, commit.runId));
  return { kind: "accepted", version: next, cancels };
}

/** Writes everything but the run's own row. */
export function applyRows(
  connection: Connection,
  prepared: PreparedCommit,
  { version, now }: { readonly version: number; readonly now: number },
): readonly CancelAnswer[] {
  const { commit } = prepared;
  const { runId } = commit;
  const { rows, enqueue, closes, payloads } = rowWrites(prepared, now);
  for (const { cells, host } of rows) fill(connection, stepUpsert({ runId, version }, cells, host));
  for (const task of enqueue) queueTask(connection, runId, { task, now });
  for (const { step, task, attempt } of closes) connection.run(closeAttempt, [runId, step, task, attempt]);
  const cancels = commit.cancels.map((request) => cancel(connection, runId, request));
  for (const payload of payloads) putPayload(connection, runId, payload);
  if (prepared.runOutput !== null) {
    connection.run("update run_payloads set output = ? where run_id = ?", [prepared.runOutput, runId]);
  }
  for (const id of commit.usedSignals) connection.run(useSignal, [now, runId, id]);
  if (prepared.trace !== null) {
    const { firstSeq, lastSeq, at, events } = prepared.trace;
    connection.run(addTrace, [runId, firstSeq, lastSeq, at, events]);
  }
  return cancels;
}

function fill(connection: Connection, { sql, cells }: Filled): void {
  connection.run(sql, cells);
}

function holds(connection: Connection, runId: string, { step, task, token }: Fence): boolean {
  return connection.row(readFence, [runId, step, task, token]) !== undefined;
}

function queueTask(
  connection: Connection,
  runId: string,
  { task, now }: { readonly task: Enqueue; readonly now: number },
): void {
  if (connection.run(openAttempt, [...queueCells(task, now), runId, task.step, task.task]) === 0) {
    throw new NotStorable(`step ${task.step}, task ${task.task} is queued but has no row`);
  }
}

function cancel(connection: Connection, runId: string, request: RunCommit["cancels"][number]): CancelAnswer {
  const { step, task, attempt } = request;
  const key: TaskKey = { step, task, attempt };
  const [dispatch, claimedAt] = connection.row(readAttempt, [runId, step, task, attempt]) ?? [];
  switch (dispatch) {
    case "queued":
      connection.run(withdraw, [runId, step, task]);
      return { ...key, outcome: "withdrawn", claimedAt: null };
    case "withdrawn":
      return { ...key, outcome: "withdrawn", claimedAt: null };
    case "leased":
      if (!request.ifQueued) connection.run(askToStop, [request.cause, runId, step, task]);
      return { ...key, outcome: "claimed", claimedAt: claimedAt as number };
    default:
      return { ...key, outcome: "gone", claimedAt: null };
  }
}

const columnNames = { output: "output", patch: "patch", childInput: "child_input", progress: "progress" } as const;

function putPayload(connection: Connection, runId: string, { step, task, clear, columns }: PreparedPayload): void {
  const place: Cell[] = [runId, step, task];
  const sets: string[] = [];
  const cells: Cell[] = [];
  for (const column of ["output", "patch", "childInput", "progress"] as const) {
    const text = columns[column] ?? null;
    if (text === null && !clear) continue;
    sets.push(`${columnNames[column]} = ?`);
    cells.push(text);
  }
  // Without a column to set it still has to be known that there is such a row.
  const set = sets.length === 0 ? "version = version" : sets.join(", ");
  const sql = `update steps set ${set} where run_id = ? and step_index = ? and task_index = ?`;
  if (connection.run(sql, [...cells, ...place]) === 0) {
    throw new NotStorable(`step ${step}, task ${task} has a payload but no row`);
  }
  if (columns.items !== undefined) {
    connection.run("insert or replace into step_items (run_id, step_index, task_index, items) values (?, ?, ?, ?)", [
      ...place,
      columns.items,
    ]);
  } else if (clear) {
    connection.run("delete from step_items where run_id = ? and step_index = ? and task_index = ?", place);
  }
}
