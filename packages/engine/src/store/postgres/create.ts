import type { Store } from "../port.ts";
import type { CreateAnswer, NewRunRequest } from "../records.ts";
import { followUpMsOf } from "../prepared-commit.ts";
import { prepareRun, unknownWorkflow } from "../prepared-run.ts";
import type { PreparedRun } from "../prepared-run.ts";
import { NotStorable } from "../storable.ts";
import { fullStepColumns, itemColumns, traceColumns } from "./batch-columns.ts";
import { Columns, parametersOf } from "./columns.ts";
import type { ColumnType } from "./columns.ts";
import { addNewRows } from "./full-batch.ts";
import type { NewRows, Part } from "./full-batch.ts";
import { stepInsert } from "./full-commit.ts";
import { arrayOf } from "./link.ts";
import type { Link, Parameter, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { isRefusedData, refusalOf, stateOf } from "./postgres-errors.ts";
import { hotCells, hotColumns, packCold, runTravel } from "./row-columns.ts";
import { rowOperations } from "./row-operations.ts";
import { isRunId } from "./run-id.ts";
import { dueAt, insertedValues, isAccepted, traceRows, traceWrite } from "./statement-parts.ts";

type CreateAnswers = Awaited<ReturnType<Store["createRuns"]>>;

export interface CreateStatements {
  readonly insert: Statement;
  readonly find: Statement;
}

const runHead: readonly ColumnType[] = [
  ["id", "uuid[]"],
  ["workflow", "text[]"],
  ["workflow_version", "integer[]"],
  ["priority", "integer[]"],
  ["idempotency_key", "text[]"],
  ["parent_run_id", "uuid[]"],
  ["parent_step", "integer[]"],
  ["parent_task", "integer[]"],
  ["parent_attempt", "integer[]"],
  ["run_group", "text[]"],
  ["last_commit_id", "text[]"],
  ["due_after", "bigint[]"],
  ["input", "json[]"],
  ["meta", "json[]"],
  ["output", "json[]"],
];

const runColumns: readonly ColumnType[] = [...runHead, ...hotColumns(runTravel), ["more", "jsonb[]"]];

const ownColumns = runHead.slice(0, 11).map(([name]) => name);

/**
 * Inserts runs with their first rows, in order of their keys, so that two processes with the same keys do not wait for each other
 * in a circle. A run whose id or key is there already is left out, with all that belongs to it.
 *
 * A run of a group takes its place under the lock of the group's row, which it keeps until it is visible: so whoever sees a run
 * sees all of its group with lower places. One statement makes at most one run of a group.
 */
export function createStatements(names: Names): CreateStatements {
  const parameters = new Parameters();
  const w = parameters.rows("w", runColumns, "p");
  const u = parameters.rows("u", fullStepColumns);
  const i = parameters.rows("u", itemColumns);
  const t = parameters.rows("u", traceColumns);
  const { columns, values } = insertedValues(runTravel);
  const text = `
with w as materialized (select * from ${w}),
place as (
  insert into ${names.table("run_groups")} (workflow, name, last_place)
  select w.workflow, w.run_group, 1 from w where w.run_group is not null
  on conflict (workflow, name) do update set last_place = run_groups.last_place + 1
  returning last_place
),
run as (
  insert into ${names.table("runs")} (${ownColumns.join(", ")}, group_place, created_at, version, due_at, ${columns})
  select ${ownColumns.map((name) => `u.${name}`).join(", ")},
    case when u.run_group is not null then (select last_place from place) end,
    ${names.now}, 1, ${dueAt(names, "u.wake_at")}, ${values}
  from w u
  order by u.workflow, u.idempotency_key
  on conflict do nothing
  returning id
),
k as materialized (select array(
  select case when exists (select 1 from run where run.id = w.id) then 0 else 1 end from w order by w.p
) as s),
payloads as (
  insert into ${names.table("run_payloads")} (run_id, input, meta, output)
  select w.id, w.input, w.meta, w.output from w where ${isAccepted("w.p")}
),
u as materialized (select * from ${u} where ${isAccepted("u.p")}),
${stepInsert(names, "1")},
items as (
  insert into ${names.table("step_items")} (run_id, step_index, task_index, items)
  select ($1::uuid[])[u.p], u.step_index, u.task_index, u.items from ${i}
  where u.items is not null and ${isAccepted("u.p")}
),
${traceWrite(names, traceRows(t))}
select ${names.now}, (select s from k), case
  when (select count(*) from ins) <> (select count(*) from u)
    then ('a row is there already: ' || (select count(*) from ins))::integer
  else 0 end`;
  const find = `
select r.id = u.id, r.id from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as u (id, workflow, key, p)
left join lateral (
  select r.id from ${names.table("runs")} r where r.id = u.id
  union all
  select r.id from ${names.table("runs")} r where r.workflow = u.workflow and r.idempotency_key = u.key
  limit 1
) r on true
order by u.p`;
  return { insert: { name: "create_runs", text }, find: { name: "find_runs", text: find } };
}

interface Prepared extends PreparedRun, Part {
  readonly index: number;
}

export async function createRuns(
  link: Link,
  statements: CreateStatements,
  requests: readonly NewRunRequest[],
): Promise<CreateAnswers> {
  const answers: (CreateAnswer | undefined)[] = requests.map(() => undefined);
  const sound: Prepared[] = [];
  for (const [index, request] of requests.entries()) {
    const prepared = prepare(request, index);
    if ("kind" in prepared) answers[index] = prepared;
    else sound.push(prepared);
  }
  let now = Number.NaN;
  for (const batch of batchesOf(sound)) {
    const done = await createBatch(link, statements, batch);
    now = done.now;
    for (const [place, { index }] of batch.entries()) answers[index] = done.answers[place]!;
  }
  if (Number.isNaN(now)) now = (await createBatch(link, statements, [])).now;
  return { now, answers: answers as CreateAnswer[] };
}

function prepare(request: NewRunRequest, index: number): Prepared | CreateAnswer {
  const { run } = request;
  try {
    if (!isRunId(run.id)) throw new NotStorable(`the id of a run is a UUID, not \`${run.id}\``);
    const prepared = prepareRun(request);
    const operations = rowOperations(prepared.prepared);
    const isRowMissing = operations.some(({ cells, isNeeded }) => cells === null && isNeeded);
    if (isRowMissing) throw new NotStorable("a queued task or a payload has no row");
    return { index, operations, ...prepared };
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    return { kind: "rejected", message: error.message };
  }
}

/** At most this many runs, rows and bytes in one statement. */
const mostRuns = 128;
const mostRows = 1_000;
const mostBytes = 4 * 1024 * 1024;

/** Runs of groups go alone: two of one group cannot take their places in one statement. */
function batchesOf(requests: readonly Prepared[]): readonly (readonly Prepared[])[] {
  const batches: Prepared[][] = [];
  let open: Prepared[] = [];
  let rows = 0;
  let bytes = 0;
  const close = (): void => {
    if (open.length > 0) batches.push(open);
    open = [];
    rows = 0;
    bytes = 0;
  };
  for (const request of requests) {
    if (request.record.group !== null) {
      batches.push([request]);
      continue;
    }
    open.push(request);
    rows += request.prepared.steps.length;
    bytes += request.input.length + request.meta.length;
    if (open.length >= mostRuns || rows >= mostRows || bytes >= mostBytes) close();
  }
  close();
  return batches;
}

async function createBatch(
  link: Link,
  statements: CreateStatements,
  batch: readonly Prepared[],
): Promise<CreateAnswers> {
  try {
    const [row] = await link.rows(statements.insert, newRunParameters(batch));
    const [now, states] = row as readonly [number, readonly number[]];
    const answers = batch.map((_, place): CreateAnswer | null =>
      states[place] === 0 ? { kind: "created", version: 1 } : null,
    );
    if (!answers.includes(null)) return { now, answers: answers as CreateAnswer[] };
    const found = await findExisting(link, statements, batch);
    return { now, answers: answers.map((answer, place) => answer ?? found[place]!) };
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    if (batch.length === 1) {
      const { now } = await createBatch(link, statements, []);
      const isWorkflow = stateOf(error) === "23503";
      const message = isWorkflow ? unknownWorkflow(batch[0]!.record).message : refusalOf(error);
      return { now, answers: [{ kind: "rejected", message }] };
    }
    const done: CreateAnswers[] = [];
    for (const one of batch) done.push(await createBatch(link, statements, [one]));
    return { now: done.at(-1)!.now, answers: done.flatMap(({ answers }) => answers) };
  }
}

/** Ids are unique, so a run of the same id was made by this very request, whose answer got lost. */
async function findExisting(
  link: Link,
  statements: CreateStatements,
  batch: readonly Prepared[],
): Promise<readonly CreateAnswer[]> {
  const rows = await link.rows(statements.find, [
    arrayOf(batch.map(({ record }) => record.id)),
    arrayOf(batch.map(({ record }) => record.workflow)),
    arrayOf(batch.map(({ record }) => record.idempotencyKey)),
  ]);
  return rows.map(([isSame, runId]): CreateAnswer => {
    if (isSame === true) return { kind: "created", version: 1 };
    if (runId !== null) return { kind: "exists", runId: runId as string };
    return { kind: "rejected", message: "a run of this id was deleted while it was being created" };
  });
}

const runs = new Columns(runColumns);
const rows: NewRows = {
  steps: new Columns(fullStepColumns),
  items: new Columns(itemColumns),
  trace: new Columns(traceColumns),
};
const parts = [runs, rows.steps, rows.items, rows.trace];

function newRunParameters(batch: readonly Prepared[]): Parameter[] {
  for (const part of parts) part.clear();
  for (const [index, request] of batch.entries()) {
    const { record, prepared, cells, input, meta } = request;
    const { parent } = record;
    runs.add([
      record.id,
      record.workflow,
      record.workflowVersion,
      record.priority,
      record.idempotencyKey,
      parent === null ? null : parent.runId,
      parent === null ? null : parent.step,
      parent === null ? null : parent.task,
      parent === null ? null : parent.attempt,
      record.group,
      prepared.commit.commitId,
      followUpMsOf(prepared.commit),
      input,
      meta,
      prepared.runOutput,
      ...hotCells(cells, runTravel),
      packCold(cells, runTravel),
    ]);
    addNewRows(rows, index + 1, request);
  }
  return parametersOf(parts);
}
