import { runColumns } from "../codec.ts";
import type { Store } from "../port.ts";
import type { CreateAnswer, NewRun, NewRunRequest } from "../records.ts";
import { dueAfter } from "../prepared-commit.ts";
import { prepareRun, unknownWorkflow } from "../prepared-run.ts";
import type { PreparedRun } from "../prepared-run.ts";
import { applyRows } from "./apply-commit.ts";
import type { Connection } from "./connection.ts";
import { inOneWrite } from "./one-write.ts";

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
  "run_group",
  "group_place",
  "created_at",
  "version",
  "last_commit_id",
  "last_commit_version",
  "due_at",
];
const names = [...hostNames, ...runColumns.map(({ name }) => name)];
const insertRun = `insert into runs (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`;
const insertPayloads = "insert into run_payloads (run_id, input, meta) values (?, ?, ?)";
const findByKey = "select id from runs where workflow = ? and idempotency_key = ?";
const findById = "select 1 from runs where id = ?";
const findWorkflow = "select 1 from workflows where name = ? and version = ?";
const lastPlace = "select max(group_place) from runs where workflow = ? and run_group = ?";

/** Inserts each run with its first rows, all with one fsync. */
export async function createRuns(
  connection: Connection,
  requests: readonly NewRunRequest[],
  now: () => number,
): ReturnType<Store["createRuns"]> {
  return inOneWrite(connection, {
    requests,
    prepare: prepareRun,
    apply: (run, at) => insert(connection, run, at),
    now,
  });
}

/** Inserts a run, unless its id or its key is there already. */
function insert(
  connection: Connection,
  { record: run, prepared, cells, input, meta }: PreparedRun,
  now: number,
): CreateAnswer {
  const { commit } = prepared;
  // Ids are unique, so a run of that id was made by this very request, whose answer got lost.
  if (connection.row(findById, [run.id]) !== undefined) return { kind: "created", version: 1 };
  if (run.idempotencyKey !== null) {
    const known = connection.row(findByKey, [run.workflow, run.idempotencyKey]);
    if (known !== undefined) return { kind: "exists", runId: known[0] as string };
  }
  if (connection.row(findWorkflow, [run.workflow, run.workflowVersion]) === undefined) throw unknownWorkflow(run);
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
    run.group,
    nextPlace(connection, run),
    now,
    1,
    commit.commitId,
    1,
    dueAfter(commit, commit.run?.wakeAt ?? null, now),
    ...cells,
  ]);
  connection.run(insertPayloads, [run.id, input, meta]);
  applyRows(connection, prepared, { version: 1, now });
  return { kind: "created", version: 1 };
}

/** The transaction holds the only write lock, so places are given in the order in which runs become visible. */
function nextPlace(connection: Connection, { workflow, group }: NewRun): number | null {
  if (group === null) return null;
  const [last] = connection.row(lastPlace, [workflow, group]) ?? [];
  return ((last ?? 0) as number) + 1;
}
