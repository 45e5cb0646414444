import { fenceColumns, traceColumns } from "./batch-columns.ts";
import type { ColumnType } from "./columns.ts";
import type { Names } from "./names.ts";
import type { Parameters } from "./parameters.ts";
import { runTravel, stepTravel, valueOf } from "./row-columns.ts";
import type { TravelColumn, TravelColumns } from "./row-columns.ts";

/** Parts that the statements of commits and of creations have in common. `$1` holds the ids of the runs, `$2` their versions. */

/** States of a run in a batch. */
export const batchStates = { accepted: 0, conflict: 1, repeat: 2, fenced: 3, brokenTrace: 4 } as const;

/** A value that was sent, by the name of its column, as an expression. */
export type Sent = (name: string) => string;

/** Of the row that travelled, as `u`. */
const ofRow: Sent = (name) => `u.${name}`;

/** Whether the run at a position of the batch is accepted. */
export const isAccepted = (position: string): string => `((select s from k))[${position}] = ${batchStates.accepted}`;

/** Id of the run of `u`. */
export const runOf = "($1::uuid[])[u.p]";

/**
 * `w`, `bad`, `g` and `k`: the runs of a batch, locked in order of their ids and read in their newest version, and what becomes of
 * each. `k` is null if one of them does not exist. A commit that others have followed is known by its trace row, or by its id if it had no events: what has been done
 * once, a cancel of the run for instance, is not done again because the answer got lost.
 */
export function guard(names: Names, parameters: Parameters, runColumns: readonly ColumnType[]): string {
  const w = parameters.rows("w", runColumns, "p");
  const f = parameters.rows("f", fenceColumns, "n");
  return `w as materialized (select * from ${w}),
bad as materialized (
  select f.p, f.n from ${f}
  where not exists (
    select 1 from ${names.table("steps")} t
    where t.run_id = ($1::uuid[])[f.p] and t.step_index = f.step_index and t.task_index = f.task_index
      and t.lease_token = f.token and t.dispatch = 'leased'
  )
),
g as materialized (
  select w.p, w.id, w.expected, w.commit_id, w.follows, w.trace_before, r.version, r.trace_seq, r.last_commit_id, r.last_cancels,
    r.quiet_commit_ids
  from w join ${names.table("runs")} r on r.id = w.id
  order by r.id for no key update of r
),
k as materialized (select case when (select count(*) from g) = cardinality($1::uuid[]) then array(
  select ${runState(names, (name) => `g.${name}`, "exists (select 1 from bad where bad.p = g.p)")} from g order by g.p
) end as s)`;
}

/** What becomes of a run: of its row as it is, as `g`, and of what was `sent` for it. */
export function runState(names: Names, sent: Sent, isFenced: string): string {
  const commitId = sent("commit_id");
  return `case
    when g.last_commit_id = ${commitId} then ${batchStates.repeat}
    when g.version <> ${sent("expected")} or g.last_commit_id <> ${sent("follows")} then case when exists (
      select 1 from ${names.table("trace_events")} t
      where t.run_id = ${sent("id")} and t.first_seq = ${sent("trace_before")} + 1 and t.commit_id = ${commitId}
    ) or strpos(g.quiet_commit_ids, ' ' || ${commitId} || ' ') > 0 then ${batchStates.repeat} else ${batchStates.conflict} end
    when ${isFenced} then ${batchStates.fenced}
    when ${sent("trace_before")} <> g.trace_seq then ${batchStates.brokenTrace}
    else ${batchStates.accepted} end`;
}

const traceNames = traceColumns
  .slice(1)
  .map(([name]) => name)
  .join(", ");

/** `trace`: rows of what happened, as `rows` gives them in the order of their columns. */
export function traceWrite(names: Names, rows: string): string {
  return `trace as (
  insert into ${names.table("trace_events")} (run_id, ${traceNames})
  ${rows}
)`;
}

/** Those that come as arrays of their own. */
export const traceRows = (source: string): string =>
  `select ${runOf}, ${traceColumns
    .slice(1)
    .map(([name]) => `u.${name}`)
    .join(", ")} from ${source} where ${isAccepted("u.p")}`;

/** The one of a run that was sent with one. */
export function traceOfRun(sent: Sent): string {
  const values = [`${sent("trace_before")} + 1`, ...["trace_seq", "at", "commit_id", "events"].map(sent)];
  return `select ${sent("id")}, ${values.join(", ")}`;
}

/** `freed`: places of limits that the attempts of these rows have held. */
export function freeSlots(names: Names, rows: string): string {
  return `freed as (
  delete from ${names.table("limit_slots")} s
  using (select * from ${rows} where is_free offset 0) u
  where s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
  returning u.queue
)`;
}

/** What a commit writes on the run of `u`, beside the kernel's columns. */
export function commitColumns(
  names: Names,
  { wakeAt, cancels, sent = ofRow }: { readonly wakeAt: string; readonly cancels: string; readonly sent?: Sent },
): string {
  return `version = ${sent("expected")} + 1, last_commit_id = ${sent("commit_id")},
    last_cancels = ${cancels}, due_at = ${dueAt(names, wakeAt, sent)}`;
}

/** When the run is due again: at its earliest timer, or when the follow-up of the commit is missing. `least` passes over null. */
export const dueAt = ({ now }: Names, wakeAt: string, sent = ofRow): string =>
  `least(${wakeAt}, ${now} + ${sent("due_after")})`;

type ValueOf = (column: TravelColumn<never>, isHot: boolean) => string;

export function assignments({ hot, cold }: TravelColumns<never>, value: ValueOf = valueOf): string {
  const parts = [
    ...hot.map((column) => `${column.name} = ${value(column, true)}`),
    ...cold.map((column) => `${column.name} = ${value(column, false)}`),
  ];
  return parts.join(", ");
}

export function insertedValues(
  { hot, cold }: TravelColumns<never>,
  value: ValueOf = valueOf,
): { readonly columns: string; readonly values: string } {
  const columns = [...hot, ...cold].map(({ name }) => name).join(", ");
  const values = [...hot.map((column) => value(column, true)), ...cold.map((column) => value(column, false))];
  return { columns, values: values.join(", ") };
}

/** The kernel's columns of a step row without its place. */
export const stepValues: TravelColumns<never> = { hot: stepTravel.hot.slice(2), cold: stepTravel.cold };

export const runValues: TravelColumns<never> = runTravel;

/** Columns of an open attempt. */
export const queueColumns = [
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

/** The column of an attempt that is queued, from what was sent. */
export function queueValue({ now }: Names, column: (typeof queueColumns)[number], sent = ofRow): string {
  switch (column) {
    case "queued_at":
      return `case when ${sent("dispatch_attempt")}::integer is not null then ${now} end`;
    case "lease_until":
      return `${now} + ${sent("lease_ms")}`;
    case "claimed_at":
      return `case when ${sent("worker")}::text is not null then ${now} end`;
    default:
      return sent(column);
  }
}

/** As `queueValue`, in a commit that stops nothing. */
export const usualQueueValue: typeof queueValue = (names, column, sent) =>
  column === "stop_asked" ? "null" : queueValue(names, column, sent);
