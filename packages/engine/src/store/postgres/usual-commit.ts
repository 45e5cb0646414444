import { addedStepColumns, changedStepColumns, usualRunColumns } from "./batch-columns.ts";
import type { Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { initialOf, stepTravel, valueOf } from "./row-columns.ts";
import type { TravelColumn } from "./row-columns.ts";
import {
  assignments,
  commitColumns,
  freeSlots,
  guard,
  insertedValues,
  isAccepted,
  queueColumns,
  usualQueueValue,
  runOf,
  runValues,
  stepValues,
  traceOfRun,
  traceWrite,
} from "./statement-parts.ts";

/**
 * The commit of a batch in which nothing is out of the ordinary, which is nearly every one: steps start, end, and write their
 * output. It gives the same guarantees and has the same shape as the full statement (`full-commit.ts`), but rows are known to be
 * new or not, and columns that hold their defaults are constants. Starting a statement costs the server time for every
 * expression in it, and that is most of what a chain of single steps waits for; so what queues attempts of rows that are there
 * already (`isQueueing`: they waited for a slot, or are tried again) is left out where there are none.
 */
export function usualCommit(names: Names, isQueueing: boolean): Statement {
  const parameters = new Parameters();
  const head = guard(names, parameters, usualRunColumns);
  const added = parameters.rows("u", addedStepColumns);
  const changed = parameters.rows("u", changedStepColumns);
  const queued = isQueueing ? parameters.rows("u", addedStepColumns) : null;
  const steps = names.table("steps");
  const { columns, values } = insertedValues(stepTravel, valueOrInitial);
  const text = `
with ${head},
ins as (
  insert into ${steps} (run_id, version, ${columns}, ${queueColumns.join(", ")}, output)
  select ${runOf}, ($2::integer[])[u.p] + 1, ${values}, ${queueColumns.map((name) => usualQueueValue(names, name)).join(", ")},
    u.output
  from ${added} where ${isAccepted("u.p")}
),
upd as (
  update ${steps} t
  set version = ($2::integer[])[u.p] + 1, ${assignments(stepValues, valueOrInitial)},
    dispatch = case when t.dispatch_attempt = u.closes then null else t.dispatch end,
    lease_until = case when t.dispatch_attempt = u.closes then null else t.lease_until end,
    stop_asked = case when t.dispatch_attempt = u.closes then null else t.stop_asked end,
    output = coalesce(u.output, t.output)
  from (select u.*, ${runOf} as run_id from ${changed} where ${isAccepted("u.p")} offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
  returning t.run_id, t.step_index, t.task_index, t.queue,
    t.limit_key is not null and t.dispatch is distinct from 'leased' as is_free
),
${queued === null ? "" : queueWrite(names, queued)}
${traceWrite(names, `${traceOfRun((name) => `w.${name}`)} from w where ${isAccepted("w.p")}`)},
${freeSlots(names, queued === null ? "upd" : "(select * from upd union all select * from que) u")},
run as (
  update ${names.table("runs")} r
  set ${commitColumns(names, { wakeAt: "u.wake_at", cancels: "null" })}, ${assignments(runValues, valueOrInitial)}
  from (select * from w where ${isAccepted("w.p")} offset 0) u
  where r.id = u.id
)
select ${names.now}, (select s from k), array(select bad.n from bad), null, array(select distinct f.queue from freed f),
  case when (select count(*) from upd)${queued === null ? "" : " + (select count(*) from que)"} <> (select coalesce(sum(w.changed), 0) from w where ${isAccepted("w.p")})
    then ('a row is missing: ' || (select count(*) from upd))::integer else 0 end`;
  return { name: isQueueing ? "commit_queueing" : "commit", text };
}

/** `que`: attempts of rows that are there. Only after a first attempt there may be places to give back. */
function queueWrite(names: Names, source: string): string {
  const attempt = queueColumns.map((name) => `${name} = ${usualQueueValue(names, name)}`).join(", ");
  return `que as (
  update ${names.table("steps")} t
  set version = ($2::integer[])[u.p] + 1, ${assignments(stepValues, valueOrInitial)}, ${attempt},
    output = coalesce(u.output, t.output)
  from (select u.*, ${runOf} as run_id from ${source} where ${isAccepted("u.p")} offset 0) u
  where t.run_id = u.run_id and t.step_index = u.step_index and t.task_index = u.task_index
  returning t.run_id, t.step_index, t.task_index, t.queue, t.dispatch_attempt > 1 as is_free
),`;
}

const valueOrInitial = (column: TravelColumn<never>, isHot: boolean): string =>
  isHot ? valueOf(column, true) : initialOf(column);
