import {
  fullRunColumns,
  fullStepColumns,
  hostStepColumns,
  itemColumns,
  outputColumns,
  signalColumns,
  traceColumns,
} from "./batch-columns.ts";
import type { Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { stepTravel } from "./row-columns.ts";
import {
  assignments,
  batchStates,
  commitColumns,
  freeSlots,
  guard,
  insertedValues,
  isAccepted,
  queueColumns,
  queueValue,
  runOf,
  runValues,
  stepValues,
  traceRows,
  traceWrite,
} from "./statement-parts.ts";

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

export function fullCommit(names: Names): Statement {
  const parameters = new Parameters();
  const head = guard(names, parameters, fullRunColumns);
  const u = parameters.rows("u", fullStepColumns);
  const trace = parameters.rows("u", traceColumns);
  const h = parameters.rows("u", hostStepColumns);
  const i = parameters.rows("u", itemColumns);
  const o = parameters.rows("u", outputColumns);
  const s = parameters.rows("u", signalColumns);
  const steps = names.table("steps");
  const run = `${runOf} as run_id`;
  const version = "($2::integer[])[u.p] + 1";
  const text = `
with ${head},
u as materialized (select * from ${u} where ${isAccepted("u.p")}),
${stepInsert(names, version)},
upd as (
  update ${steps} t
  set version = ${version}, ${assignments(stepValues)},
    ${hostAssignments(names)}
  from (select u.*, ${run} from u where u.may_update = 1 offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
  returning ${returned}
),
h as materialized (select * from ${h} where ${isAccepted("u.p")}),
hosts as (
  update ${steps} t
  set ${hostAssignments(names)}
  from (select u.*, ${run} from h u offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
  returning ${returned}
),
changed as (select * from upd union all select * from hosts),
${itemWrites(names, i)},
outputs as (
  update ${names.table("run_payloads")} t set output = u.output
  from (select u.*, ${run} from ${o} where ${isAccepted("u.p")} offset 0) u
  where t.run_id = u.run_id
),
signals as (
  update ${names.table("signals")} t set used_at = ${names.now}, notice_at = null
  from (select u.*, ${run} from ${s} where ${isAccepted("u.p")} offset 0) u
  where t.run_id = u.run_id and t.id = u.id and t.used_at is null
),
${traceWrite(names, traceRows(trace))},
${freeSlots(names, "changed")},
${runWrites(names)}
select ${names.now}, (select s from k), array(select bad.n from bad),
  (select json_agg(case when ((select s from k))[g.p] = ${batchStates.repeat} then g.last_cancels
    else ${stopRows("g.p")} end order by g.p) from g),
  array(select distinct f.queue from freed f),
  case
    when (select count(*) from ins) + (select count(*) from upd) + (select count(*) from hosts where is_needed = 1)
      <> (select count(*) from u) + (select count(*) from h where h.is_needed = 1)
    then ('a queued task or a payload has no row: ' || (select count(*) from upd))::integer
    else 0 end`;
  return { name: "commit_full", text };
}

/** The latest dozen or so of commits without events. */
const quietIds = `quiet_commit_ids = case
    when u.is_quiet = 1 then left(' ' || u.commit_id || coalesce(r.quiet_commit_ids, ' '), 250)
    else r.quiet_commit_ids end`;

/** `run` and `bare`: the runs, with the kernel's row and without. */
function runWrites(names: Names): string {
  const runs = names.table("runs");
  return `run as (
  update ${runs} r
  set ${commitColumns(names, { wakeAt: "u.wake_at", cancels: stopRows("u.p") })}, ${quietIds}, ${assignments(runValues)}
  from (select * from w where w.has_row = 1 and ${isAccepted("w.p")} offset 0) u
  where r.id = u.id
),
bare as (
  update ${runs} r
  set ${commitColumns(names, { wakeAt: "r.wake_at", cancels: stopRows("u.p") })}, ${quietIds}
  from (select * from w where w.has_row = 0 and ${isAccepted("w.p")} offset 0) u
  where r.id = u.id
)`;
}

/** `ins`: rows of steps that are not there yet, of `u`. */
export function stepInsert(names: Names, version: string): string {
  const { columns, values } = insertedValues(stepTravel);
  return `ins as (
  insert into ${names.table("steps")} (run_id, version, ${columns}, ${queueColumns.join(", ")}, ${payloadNames.join(", ")})
  select ${runOf}, ${version}, ${values}, ${queueColumns.map((name) => queueValue(names, name)).join(", ")},
    ${payloadNames.map(newPayload).join(", ")}
  from u where u.may_insert = 1
  on conflict (run_id, step_index, task_index) do nothing
  returning 1
)`;
}

/** A new list of items replaces the old one; a cleared row loses it. */
function itemWrites(names: Names, source: string): string {
  const items = names.table("step_items");
  return `i as materialized (select u.*, ${runOf} as run_id from ${source} where ${isAccepted("u.p")}),
items as (
  insert into ${items} (run_id, step_index, task_index, items)
  select u.run_id, u.step_index, u.task_index, u.items from i u where u.items is not null
  on conflict (run_id, step_index, task_index) do update set items = excluded.items
),
no_items as (
  delete from ${items} t
  using (select * from i where items is null offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
)`;
}

/** What later parts of the statement know of a changed row. An attempt that another one follows holds no places any more. */
const returned = `u.p, t.run_id, t.step_index, t.task_index, t.dispatch, t.dispatch_attempt, t.claimed_at, t.queue, u.has_cancel,
    u.is_needed, u.dispatch_attempt is not null or (t.limit_key is not null and t.dispatch is distinct from 'leased') as is_free`;

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
    (name) =>
      `${name} = case when u.dispatch_attempt is not null then ${queueValue(names, name)} else ${keptValue(name)} end`,
  );
  const payload = payloadNames.map(
    (name) => `${name} = coalesce(${newPayload(name)}, case when u.is_cleared = 0 then t.${name} end)`,
  );
  return [...attempt, ...payload].join(",\n    ");
}

/** What became of the attempts of a run that were to be stopped, as `StopRow`s. */
const stopRows = (position: string): string => `(
      select json_agg(json_build_array(c.step_index, c.task_index, c.dispatch, c.dispatch_attempt, c.claimed_at))
      from changed c where c.has_cancel = 1 and c.p = ${position}
    )`;
