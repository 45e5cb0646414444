import { runColumns } from "../codec.ts";
import type { CommitAnswer, CreateAnswer, NewRun, RunCommit } from "../port.ts";
import { checkTrace, dueAfter, prepareCommit } from "../prepared-commit.ts";
import type { PreparedCommit } from "../prepared-commit.ts";
import { encodeJson, NotStorable } from "../storable.ts";
import { applyCommit, applyRows } from "./apply-commit.ts";
import type { Connection } from "./connection.ts";
import { isRefusedData } from "./sqlite-errors.ts";

type Attempt = PreparedCommit | { readonly refused: string };

/**
 * Commits each run on its own, all with one fsync. The fast way takes no savepoints, because data that the schema refuses is
 * a bug of the caller; when it happens the whole batch is done again with one savepoint a run, and only that run is
 * rejected.
 */
export async function commitRuns(
  connection: Connection,
  commits: readonly RunCommit[],
  now: () => number,
): Promise<{ readonly now: number; readonly answers: readonly CommitAnswer[] }> {
  const attempts = commits.map((commit): Attempt => {
    try {
      return prepareCommit(commit);
    } catch (error) {
      if (!(error instanceof NotStorable)) throw error;
      return { refused: error.message };
    }
  });
  try {
    return await connection.write(() =>
      applyAll(attempts, now(), (attempt, at) => applyCommit(connection, attempt, at)),
    );
  } catch (error) {
    if (!isRefusedData((error as Error).cause)) throw error;
    return connection.write(() => applyAll(attempts, now(), (attempt, at) => applyAlone(connection, attempt, at)));
  }
}

function applyAll(
  attempts: readonly Attempt[],
  now: number,
  apply: (prepared: PreparedCommit, now: number) => CommitAnswer,
): { readonly now: number; readonly answers: readonly CommitAnswer[] } {
  const answers = attempts.map((attempt): CommitAnswer =>
    "refused" in attempt ? { kind: "rejected", message: attempt.refused } : apply(attempt, now),
  );
  return { now, answers };
}

function applyAlone(connection: Connection, prepared: PreparedCommit, now: number): CommitAnswer {
  connection.execute("savepoint one_run");
  try {
    return applyCommit(connection, prepared, now);
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    connection.execute("rollback to one_run");
    return { kind: "rejected", message: (error as Error).message };
  } finally {
    connection.execute("release one_run");
  }
}

const runNames = runColumns.map(({ name }) => name);
const hostNames = [
  "id",
  "workflow",
  "workflow_version",
  "priority",
  "idempotency_key",
  "parent_run_id",
  "parent_step",
  "parent_task",
  "parent_attempt",
  "created_at",
  "version",
  "last_commit_id",
  "last_commit_version",
  "due_at",
];
const names = [...hostNames, ...runNames];
const insertRun = `insert into runs (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`;
const insertPayloads = "insert into run_payloads (run_id, input, meta) values (?, ?, ?)";
const findByKey = "select id from runs where workflow = ? and idempotency_key = ?";
const findById = "select 1 from runs where id = ?";

/** Inserts the run with its first rows, unless its id or its key is there already. */
export async function createRun(
  connection: Connection,
  { run, commit }: { readonly run: NewRun; readonly commit: RunCommit },
  now: () => number,
): Promise<CreateAnswer> {
  return connection.write(() => {
    const at = now();
    const prepared = prepareCommit(commit);
    const input = encodeJson(run.input, "the run's input");
    const meta = encodeJson(run.meta, "the run's meta");
    if (prepared.run === null) throw new NotStorable("the first commit of a run brings its row");
    checkTrace(prepared, 0);
    // Ids are unique, so a run of that id was made by this very request, whose answer got lost.
    if (connection.row(findById, [run.id]) !== undefined) return { kind: "created", now: at, version: 1 };
    if (run.idempotencyKey !== null) {
      const known = connection.row(findByKey, [run.workflow, run.idempotencyKey]);
      if (known !== undefined) return { kind: "exists", now: at, runId: known[0] as string };
    }
    connection.run(insertRun, [
      run.id,
      run.workflow,
      run.workflowVersion,
      run.priority,
      run.idempotencyKey,
      run.parent === null ? null : run.parent.runId,
      run.parent === null ? null : run.parent.step,
      run.parent === null ? null : run.parent.task,
      run.parent === null ? null : run.parent.attempt,
      at,
      1,
      commit.commitId,
      1,
      dueAfter(commit, commit.run?.wakeAt ?? null, at),
      ...prepared.run,
    ]);
    connection.run(insertPayloads, [run.id, input, meta]);
    applyRows(connection, prepared, { version: 1, now: at });
    return { kind: "created", now: at, version: 1 };
  });
}
