import type { JsonValue } from "@braid/core";
import type { Store } from "../port.ts";
import type { NewSignal, StoredSignal } from "../records.ts";
import { nextNoticeAfterMs } from "../prepared-commit.ts";
import { checkText, encodeJson } from "../storable.ts";
import type { Link, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { refusing } from "../refusing.ts";
import { isRunId } from "./run-id.ts";

/** Runs that somebody has to look at although no worker has a task of them: their time has come, or a signal has. */

type Due = Awaited<ReturnType<Store["dueRuns"]>>;

const isAlive = "r.status in ('queued', 'running', 'paused')";

/** As `nextNoticeAfterMs`, of the notice that follows those counted. The exponent stays in what a number holds. */
const noticeAfterMs = `least(${nextNoticeAfterMs(1)} * pow(2, least(s.notices, 30)), ${nextNoticeAfterMs(Infinity)})::bigint`;

/**
 * Finds due runs, and puts off the next notice of the signals it tells of: all in one statement, which writes nothing if no
 * signal is due. One more run than asked for is looked for, which tells whether some are left over.
 *
 * A signal that another process holds, because it puts off the same notice or uses the signal up, is passed over: whoever holds
 * it tells of the run, and waiting would be for rows in no order that others keep. No run is locked. Notices are found before
 * their runs, so that a look at an idle store costs the same however many runs and signals it holds.
 */
const findDue = perNames(({ table, now }): Statement => {
  const text = `
with clock as materialized (select ${now} as at),
timed as (
  select id, due_at as at from ${table("runs")}
  where due_at <= (select at from clock) order by due_at, id limit $1::bigint + 1
),
notice as materialized (
  select run_id, min(notice_at) as at from ${table("signals")} where notice_at <= (select at from clock) group by run_id
),
signaled as (
  select r.id, n.at from notice n join ${table("runs")} r on r.id = n.run_id where ${isAlive}
  order by n.at, r.id limit $1::bigint + 1
),
due as materialized (
  select id, min(at) as at, bool_or(is_timed) as is_timed, not bool_and(is_timed) as is_signaled
  from (select id, at, true as is_timed from timed union all select id, at, false from signaled) found
  group by id order by 2, 1 limit $1::bigint + 1
),
told as materialized (select * from due order by at, id limit $1::bigint),
held as materialized (
  select s.seq from ${table("signals")} s
  where s.run_id in (select id from told where is_signaled) and s.notice_at <= (select at from clock)
  for update skip locked
),
noticed as (
  update ${table("signals")} s set
    notices = s.notices + 1,
    notice_at = (select at from clock) + ${noticeAfterMs}
  where s.seq in (select seq from held)
  returning s.run_id, s.notice_at
)
select
  clock.at,
  case when (select count(*) from due) > $1 then clock.at
  else least(
    (select due_at from ${table("runs")} where due_at > (select at from clock) order by due_at limit 1),
    (
      select s.notice_at from ${table("signals")} s join ${table("runs")} r on r.id = s.run_id
      where s.notice_at > (select at from clock) and ${isAlive} order by s.notice_at limit 1
    ),
    (select min(notice_at) from noticed)
  ) end,
  told.id
from clock left join told on told.is_timed or told.id in (select run_id from noticed)
order by told.at, told.id`;
  return { name: "due_runs", text };
});

export async function dueRuns(link: Link, names: Names, limit: number): Promise<Due> {
  const rows = (await link.rows(findDue(names), [limit])) as readonly (readonly [
    number,
    number | null,
    string | null,
  ])[];
  const [now, nextWakeAt] = rows[0]!;
  return { now, runIds: rows.map(([, , id]) => id).filter((id) => id !== null), nextWakeAt };
}

const insertSignal = perNames(({ table, now }): Statement => {
  const text = `
insert into ${table("signals")} (run_id, id, name, verdict, payload, accepted_at, notices, notice_at)
values ($1, $2, $3, $4, $5, ${now}, 0, ${now})
on conflict (run_id, id) do nothing`;
  return { name: "put_signal", text };
});

/** Keeps a signal; its run cannot be deleted meanwhile. A run that does not exist is `store_not_storable`. */
export async function putSignal(link: Link, names: Names, signal: NewSignal): Promise<void> {
  const { runId, verdict } = signal;
  const [id, name, payload] = refusing(() => [
    checkText(signal.id, "the id of a signal"),
    checkText(signal.name, "the name of a signal"),
    encodeJson(signal.payload, `the payload of signal ${signal.id}`),
  ]) as [string, string, string];
  await link.rows(insertSignal(names), [runId, id, name, verdict, payload]);
}

const unusedSignals = perNames(({ table }): Statement => {
  const text = `
select id, name, verdict, payload, accepted_at from ${table("signals")}
where run_id = $1 and used_at is null order by seq`;
  return { name: "list_signals", text };
});

export async function listSignals(link: Link, names: Names, runId: string): Promise<readonly StoredSignal[]> {
  if (!isRunId(runId)) return [];
  const rows = await link.rows(unusedSignals(names), [runId]);
  return rows.map((row) => {
    const [id, name, verdict, payload, acceptedAt] = row as [string, string, NewSignal["verdict"], string, number];
    return { id, runId, name, verdict, payload: JSON.parse(payload) as JsonValue, acceptedAt };
  });
}
