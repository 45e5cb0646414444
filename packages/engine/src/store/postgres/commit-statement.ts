import { hostColumns, runHead, stepHead } from "./batch.ts";
import type { Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { arrayType, runTravel, stepTravel, valueOf } from "./row-columns.ts";

/**
 * One statement that commits a batch of runs.
 *
 * Guarantees: a run is written whole or not at all, and only if its version is the one that the changes were computed from,
 * every fence holds, and its trace continues; runs do not depend on each other. It locks the rows of runs first, in order of their
 * ids; rows of steps are only written under their run's lock, but for claims and heartbeats, which write no column that a commit
 * reads for its decisions. Slots of limits come last.
 *
 * Shape: `g` locks the runs and re-reads them in their newest version. `k` is one array that says of each run, by its position in
 * the batch, what becomes of it. Everything that writes carries the position and looks it up there: a join with `g` would be
 * done in a nested loop, runs times rows. Rows to update come from one source, with all columns of the key, behind `offset 0`, so
 * that no plan can begin anywhere else. Rows are inserted or updated, not upserted: what an update does to the open attempt
 * depends on the row as it is.
 *
 * The statement fails as a whole, and so writes nothing, if it does not write exactly the rows that it should.
 */

/** States of a run in a batch. */
export const batchStates = { accepted: 0, conflict: 1, repeat: 2, fenced: 3, brokenTrace: 4 } as const;

/** Answers, in the order of `commitAnswerColumns`. */
export function commitStatement(names: Names, isRare: boolean): Statement {
  const parameters = new Parameters();
  const w = parameters.unnest("w", [...runHead, ...travelling(runTravel.hot), ["more", "jsonb[]"]]);
  const f = parameters.unnest("f", fenceColumns);
  const u = parameters.unnest("u", [...stepHead, ...travelling(stepTravel.hot), ["more", "jsonb[]"], ...hostColumns]);
  const t = parameters.unnest("u", traceColumns);
  const rare = isRare ? rareParts(names, parameters) : null;
  const text = `
with w as materialized (select * from ${w.withOrdinality("p")}),
bad as materialized (
  select f.p, f.n from ${f.withOrdinality("n")}
  where not exists (
    select 1 from ${names.table("steps")} t
    where t.run_id = ($1::uuid[])[f.p] and t.step_index = f.step_index and t.task_index = f.task_index
      and t.lease_token = f.token and t.dispatch = 'leased'
  )
),
g as materialized (
  select w.p, w.expected, w.commit_id, w.trace_before, r.version, r.trace_seq, r.last_commit_id, r.last_commit_version,
    r.last_cancels
  from w join ${names.table("runs")} r on r.id = w.id
  order by r.id for no key update of r
),
k as materialized (select case when (select count(*) from g) = cardinality($1::uuid[]) then array(
  select case
    when g.last_commit_id = g.commit_id then ${batchStates.repeat}
    when g.version <> g.expected then ${batchStates.conflict}
    when exists (select 1 from bad where bad.p = g.p) then ${batchStates.fenced}
    when g.trace_before <> g.trace_seq then ${batchStates.brokenTrace}
    else ${batchStates.accepted} end
  from g order by g.p
) end as s),
u as materialized (select * from ${u.text} where ${isAccepted("u.p")}),
${stepInsert(names, target)},
${stepUpdate(names, target)},
${rare === null ? "" : rare.writes}
${traceWrite(names, t.text, "($1::uuid[])[u.p]")},
changed as (select * from upd${rare === null ? "" : " union all select * from hosts"}),
${freeSlots(names)},
run as (
  update ${names.table("runs")} r
  set ${commitColumns(names, isRare, "u.wake_at")}, ${assignments(runTravel, (column, isHot) => valueOf(column, isHot))}
  from (select * from w where w.has_row = 1 and ${isAccepted("w.p")} offset 0) u
  where r.id = u.id
  returning 1
)${rare === null ? "" : rare.runs}
select ${names.now}, (select s from k), array(select g.version from g order by g.p), array(select bad.n from bad),
  array(select g.last_commit_version from g order by g.p), ${rare === null ? "null" : rare.answers},
  array(select distinct f.queue from freed f),
  ${check(rare !== null)}`;
  return { name: isRare ? "commit_rare" : "commit", text };
}

/** As if joined: a batch that does not write what it should fails with SQLSTATE 22P02. */
function check(isRare: boolean): string {
  const hosts = isRare ? " + (select count(*) from hosts where is_needed = 1)" : "";
  const hostsDue = isRare ? ` + (select count(*) from h where h.is_needed = 1)` : "";
  const runs = isRare ? " + (select count(*) from bare)" : "";
  return `case
    when (select count(*) from ins) + (select count(*) from upd)${hosts} <> (select count(*) from u)${hostsDue}
      then ('a queued task or a payload has no row: ' || (select count(*) from upd))::integer
    when (select count(*) from run)${runs} <> (select count(*) from w where ${isAccepted("w.p")})
      then ('a run was not written: ' || (select count(*) from run))::integer
    else 0 end`;
}

const target = { run: "($1::uuid[])[u.p]", version: "($2::integer[])[u.p] + 1" };

export const isAccepted = (position: string): string => `((select s from k))[${position}] = ${batchStates.accepted}`;

const fenceColumns = [
  ["p", "integer[]"],
  ["step_index", "integer[]"],
  ["task_index", "integer[]"],
  ["token", "text[]"],
] as const;

export const traceColumns = [
  ["p", "integer[]"],
  ["first_seq", "integer[]"],
  ["last_seq", "integer[]"],
  ["at", "bigint[]"],
  ["events", "json[]"],
] as const;

type ColumnType = readonly [name: string, type: string];

/** Numbers parameters in the order in which a statement names them. */
export class Parameters {
  count = 0;

  /** Rows of parallel arrays. */
  unnest(alias: string, columns: readonly ColumnType[]): { readonly text: string; withOrdinality(name: string): string } {
    const arrays = columns.map(([, type]) => {
      this.count += 1;
      return `$${this.count}::${type}`;
    });
    const names = columns.map(([name]) => name).join(", ");
    const source = `unnest(${arrays.join(", ")})`;
    return {
      text: `${source} as ${alias} (${names})`,
      withOrdinality: (name) => `${source} with ordinality as ${alias} (${names}, ${name})`,
    };
  }
}

export function travelling(columns: typeof stepTravel.hot): readonly ColumnType[] {
  return columns.map((column) => [column.name, arrayType(column)]);
}

type Travel = typeof stepTravel;

function assignments({ hot, cold }: Travel, value: (column: Travel["hot"][number], isHot: boolean) => string): string {
  const parts = [
    ...hot.map((column) => `${column.name} = ${value(column, true)}`),
    ...cold.map((column) => `${column.name} = ${value(column, false)}`),
  ];
  return parts.join(", ");
}

export function insertedValues({ hot, cold }: Travel): { readonly columns: string; readonly values: string } {
  const columns = [...hot, ...cold].map(({ name }) => name).join(", ");
  const values = [...hot.map((column) => valueOf(column, true)), ...cold.map((column) => valueOf(column, false))];
  return { columns, values: values.join(", ") };
}

interface Target {
  /** Expressions over `u`. */
  readonly run: string;
  readonly version: string;
}

/** `ins`: rows of steps that are not there yet. */
export function stepInsert(names: Names, { run, version }: Target): string {
  const { columns, values } = insertedValues(stepTravel);
  return `ins as (
  insert into ${names.table("steps")} (run_id, version, ${columns}, ${queueColumns.join(", ")}, ${payloadNames.join(", ")})
  select ${run}, ${version}, ${values}, ${queueColumns.map((name) => queueValue(names, name)).join(", ")},
    ${payloadNames.map(newPayload).join(", ")}
  from u where u.may_insert = 1
  on conflict (run_id, step_index, task_index) do nothing
  returning 1
)`;
}

/** `upd`: rows of steps that are there. */
function stepUpdate(names: Names, { run, version }: Target): string {
  const kernel = { hot: stepTravel.hot.slice(2), cold: stepTravel.cold };
  return `upd as (
  update ${names.table("steps")} t
  set version = ${version}, ${assignments(kernel, (column, isHot) => valueOf(column, isHot))},
    ${hostAssignments(names)}
  from (select u.*, ${run} as run_id from u where u.may_update = 1 offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
  returning ${returned}
)`;
}

/** What later parts of the statement know of a changed row. */
const returned = `u.p, t.run_id, t.step_index, t.task_index, t.dispatch, t.dispatch_attempt, t.claimed_at, t.queue, u.has_cancel,
    u.is_needed, u.is_queued = 1 or (t.limit_key is not null and t.dispatch is distinct from 'leased') as is_free`;

/** Columns of an open attempt, as `u` brings them. */
const queueColumns = [
  "dispatch",
  "dispatch_attempt",
  "queue",
  "handler",
  "priority",
  "queued_at",
  "worker",
  "lease_token",
  "lease_until",
  "claimed_at",
  "stop_asked",
  "limit_key",
] as const;

function queueValue(names: Names, column: (typeof queueColumns)[number]): string {
  switch (column) {
    case "queued_at":
      return `case when u.is_queued = 1 then ${names.now} end`;
    case "lease_until":
      return `case when u.is_open_lease = 1 then ${names.now} + u.lease_ms end`;
    case "claimed_at":
      return `case when u.worker is not null then ${names.now} end`;
    default:
      return `u.${column}`;
  }
}

/** What is left of an attempt that the commit does not queue: closing it empties three columns. */
function keptValue(column: (typeof queueColumns)[number]): string {
  const isClosed = "strpos(u.closes, ',' || t.dispatch_attempt || ',') > 0";
  switch (column) {
    case "dispatch":
      return `case when ${isClosed} then null
      when u.cancel_attempt = t.dispatch_attempt and t.dispatch = 'queued' then 'withdrawn' else t.dispatch end`;
    case "lease_until":
      return `case when ${isClosed} then null else t.lease_until end`;
    case "stop_asked":
      return `case when ${isClosed} then null
      when u.cancel_attempt = t.dispatch_attempt and t.dispatch = 'leased' then coalesce(u.cancel_cause, t.stop_asked)
      else t.stop_asked end`;
    default:
      return `t.${column}`;
  }
}

const payloadNames = ["output", "patch", "child_input", "progress"] as const;

const extraKeys = { patch: "patch", child_input: "childInput", progress: "progress" } as const;

const newPayload = (name: (typeof payloadNames)[number]): string =>
  name === "output" ? "u.output" : `u.extra -> '${extraKeys[name]}'`;

function hostAssignments(names: Names): string {
  const attempt = queueColumns.map(
    (name) => `${name} = case when u.is_queued = 1 then ${queueValue(names, name)} else ${keptValue(name)} end`,
  );
  const payload = payloadNames.map(
    (name) => `${name} = coalesce(${newPayload(name)}, case when u.is_cleared = 0 then t.${name} end)`,
  );
  return [...attempt, ...payload].join(",\n    ");
}

/** `trace`: one row for each run that has events. */
export function traceWrite(names: Names, source: string, run: string): string {
  return `trace as (
  insert into ${names.table("trace_events")} (run_id, first_seq, last_seq, at, events)
  select ${run}, u.first_seq, u.last_seq, u.at, u.events from ${source} where ${isAccepted("u.p")}
)`;
}

/** `freed`: places of limits that attempts held which are not leased any more, or which another attempt has followed. */
function freeSlots(names: Names): string {
  return `freed as (
  delete from ${names.table("limit_slots")} s
  using (select * from changed where is_free offset 0) u
  where s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
  returning u.queue
)`;
}

function commitColumns(names: Names, isRare: boolean, wakeAt: string): string {
  const cancels = isRare ? stopRows("u.p") : "null";
  return `version = u.expected + 1, last_commit_id = u.commit_id, last_commit_version = u.expected + 1,
    last_cancels = ${cancels},
    due_at = ${dueAt(names, wakeAt)}`;
}

/** When the run is due again: at its earliest timer, or when the follow-up of the commit is missing. `least` passes over null. */
export const dueAt = ({ now }: Names, wakeAt: string): string => `least(${wakeAt}, ${now} + u.due_after)`;

/** What became of the attempts of a run that were to be stopped, as `StopRow`s. */
const stopRows = (position: string): string => `(
      select json_agg(json_build_array(c.step_index, c.task_index, c.dispatch, c.dispatch_attempt, c.claimed_at))
      from changed c where c.has_cancel = 1 and c.p = ${position}
    )`;

interface RareText {
  readonly writes: string;
  readonly runs: string;
  readonly answers: string;
}

function rareParts(names: Names, parameters: Parameters): RareText {
  const place = [
    ["p", "integer[]"],
    ["step_index", "integer[]"],
    ["task_index", "integer[]"],
  ] as const;
  const h = parameters.unnest("u", [...place, ...hostColumns]);
  const i = parameters.unnest("u", [...place, ["items", "json[]"]]);
  const o = parameters.unnest("u", [
    ["p", "integer[]"],
    ["output", "json[]"],
  ]);
  const s = parameters.unnest("u", [
    ["p", "integer[]"],
    ["id", "text[]"],
  ]);
  const run = "($1::uuid[])[u.p] as run_id";
  return {
    writes: `h as materialized (select * from ${h.text} where ${isAccepted("u.p")}),
hosts as (
  update ${names.table("steps")} t
  set ${hostAssignments(names)}
  from (select u.*, ${run} from h u offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
  returning ${returned}
),
i as materialized (select u.*, ${run} from ${i.text} where ${isAccepted("u.p")}),
items as (
  insert into ${names.table("step_items")} (run_id, step_index, task_index, items)
  select u.run_id, u.step_index, u.task_index, u.items from i u where u.items is not null
  on conflict (run_id, step_index, task_index) do update set items = excluded.items
),
no_items as (
  delete from ${names.table("step_items")} t
  using (select * from i where items is null offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
),
outputs as (
  update ${names.table("run_payloads")} t set output = u.output
  from (select u.*, ${run} from ${o.text} where ${isAccepted("u.p")} offset 0) u
  where t.run_id = u.run_id
),
signals as (
  update ${names.table("signals")} t set used_at = ${names.now}, notice_at = null
  from (select u.*, ${run} from ${s.text} where ${isAccepted("u.p")} offset 0) u
  where t.run_id = u.run_id and t.id = u.id and t.used_at is null
),`,
    runs: `,
bare as (
  update ${names.table("runs")} r
  set ${commitColumns(names, true, "r.wake_at")}
  from (select * from w where w.has_row = 0 and ${isAccepted("w.p")} offset 0) u
  where r.id = u.id
  returning 1
)`,
    answers: `(select json_agg(case when ((select s from k))[g.p] = ${batchStates.repeat} then g.last_cancels
      else ${stopRows("g.p")} end order by g.p) from g)`,
  };
}
