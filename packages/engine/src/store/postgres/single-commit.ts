import { addedStepColumns, changedStepColumns, fenceColumns, usualRunColumns } from "./batch-columns.ts";
import type { Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { initialOf, stepTravel } from "./row-columns.ts";
import type { TravelColumn } from "./row-columns.ts";
import {
  assignments,
  batchStates,
  commitColumns,
  freeSlots,
  insertedValues,
  queueColumns,
  usualQueueValue,
  runState,
  runValues,
  stepValues,
  traceOfRun,
  traceWrite,
} from "./statement-parts.ts";
import type { Sent } from "./statement-parts.ts";

/**
 * The usual commit (`usual-commit.ts`) of one run that reports one attempt, as a chain of steps makes them: at most one row is
 * changed and one is new. It gives the same guarantees and answers. Its values are parameters as they are, where the statement for
 * many runs has to start and read a function for each sort of rows: that was a fifth of what such a commit cost the server.
 */
export function singleCommit(names: Names): Statement {
  const parameters = new Parameters();
  const w = parameters.row(usualRunColumns);
  const f = parameters.row(withoutPosition(fenceColumns));
  const added = parameters.row(withoutPosition(addedStepColumns));
  const changed = parameters.row(withoutPosition(changedStepColumns));
  const steps = names.table("steps");
  const id = w("id");
  const version = `${w("expected")} + 1`;
  const isClosed = `t.dispatch_attempt = ${changed("closes")}`;
  const { columns, values } = insertedValues(stepTravel, valueFrom(added));
  const isFenced = `not exists (
      select 1 from ${steps} t
      where t.run_id = ${id} and t.step_index = ${f("step_index")} and t.task_index = ${f("task_index")}
        and t.lease_token = ${f("token")} and t.dispatch = 'leased'
    )`;
  const text = `
with g as materialized (
  select r.version, r.trace_seq, r.last_commit_id, r.quiet_commit_ids
  from ${names.table("runs")} r where r.id = ${id} for no key update
),
k as materialized (select ${runState(names, w, isFenced)} as s from g),
ins as (
  insert into ${steps} (run_id, version, ${columns}, ${queueColumns.join(", ")}, output)
  select ${id}, ${version}, ${values},
    ${queueColumns.map((name) => usualQueueValue(names, name, added)).join(", ")}, ${added("output")}
  where ${isAccepted} and ${added("step_index")}::integer is not null
),
upd as (
  update ${steps} t
  set version = ${version}, ${assignments(stepValues, valueFrom(changed))},
    dispatch = case when ${isClosed} then null else t.dispatch end,
    lease_until = case when ${isClosed} then null else t.lease_until end,
    stop_asked = case when ${isClosed} then null else t.stop_asked end,
    output = coalesce(${changed("output")}, t.output)
  where t.run_id = ${id} and t.step_index = ${changed("step_index")} and t.task_index = ${changed("task_index")}
    and ${isAccepted}
  returning t.run_id, t.step_index, t.task_index, t.queue,
    t.limit_key is not null and t.dispatch is distinct from 'leased' as is_free
),
${traceWrite(names, `${traceOfRun(w)} where ${isAccepted}`)},
${freeSlots(names, "upd")},
run as (
  update ${names.table("runs")} r
  set ${commitColumns(names, { wakeAt: w("wake_at"), cancels: "null", sent: w })}, ${assignments(runValues, valueFrom(w))}
  where r.id = ${id} and ${isAccepted}
)
select ${names.now}, (select array[s] from k), array(select 1 from k where s = ${batchStates.fenced}), null,
  array(select f.queue from freed f),
  case when (select count(*) from upd) <> case when ${isAccepted} then ${w("changed")} else 0 end
    then ('a row is missing: ' || (select s from k))::integer else 0 end`;
  return { name: "commit_single", text };
}

const isAccepted = `(select s from k) = ${batchStates.accepted}`;

const withoutPosition = <Column>(columns: readonly Column[]): readonly Column[] => columns.slice(1);

const valueFrom =
  (sent: Sent) =>
  (column: TravelColumn<never>, isHot: boolean): string =>
    isHot ? sent(column.name) : initialOf(column);
