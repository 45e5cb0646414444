import type { StopCause } from "@braid/core";
import { followUpAfterMs } from "../run-commit.ts";
import type { HeartbeatAnswer, HeartbeatRequest, SweepAnswer } from "../claims.ts";
import { encodeJson } from "../storable.ts";
import { arrayOf, textsOf } from "./link.ts";
import type { Link, Statement } from "./link.ts";
import type { Names } from "./names.ts";

/** What becomes of leases: heartbeats keep them, sweeps revoke them. */
export interface LeaseStatements {
  readonly renew: Statement;
  readonly sweep: Statement;
}

export function leaseStatements(names: Names): LeaseStatements {
  const steps = names.table("steps");
  const runs = names.table("runs");
  return {
    /**
     * Waits for nobody: a row that a commit is just writing is passed over, and said to be renewed if its lease was there when the
     * statement began. Whoever has ended his attempt by that commit does not need the lease any more, and who has not beats again.
     * A lease past its end that nobody has swept still holds.
     */
    renew: {
      name: "heartbeat",
      text: `
with h as materialized (
  select u.n, u.progress, s.run_id, s.step_index, s.task_index, s.stop_asked
  from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::json[])
    with ordinality as u (run_id, step_index, task_index, token, progress, n)
  join ${steps} s on s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
  where s.lease_token = u.token and s.dispatch = 'leased'
),
l as materialized (
  select h.n, h.progress, s.run_id, s.step_index, s.task_index, s.lease_token
  from h join ${steps} s on s.run_id = h.run_id and s.step_index = h.step_index and s.task_index = h.task_index
  where s.lease_token = ($4::text[])[h.n] and s.dispatch = 'leased'
  for no key update of s skip locked
),
r as (
  update ${steps} s set lease_until = ${names.now} + $6, progress = coalesce(l.progress, s.progress)
  from (select * from l offset 0) l
  where s.run_id = l.run_id and s.step_index = l.step_index and s.task_index = l.task_index
)
select ${names.now}, (select json_agg(json_build_array(h.n, h.stop_asked)) from h)`,
    },
    /**
     * Locks the runs first, in order of their ids, and then repeats its condition on the newest version of each row: a lease that
     * was renewed meanwhile is left alone. Runs that somebody else has locked are left to the next sweep.
     */
    sweep: {
      name: "sweep",
      text: `
with c as materialized (
  select s.run_id, s.step_index, s.task_index, s.dispatch, s.lease_until, s.lease_token from ${steps} s
  where s.lease_until <= ${names.now}
  order by s.lease_until, s.run_id, s.step_index, s.task_index limit $1
),
d as materialized (
  select s.run_id, s.step_index, s.task_index, s.dispatch, s.lease_until, s.lease_token from ${steps} s
  where cardinality($2::text[]) > 0 and s.lease_until > ${names.now} and s.dispatch = 'leased' and s.worker = any ($2::text[])
  order by s.lease_until, s.run_id, s.step_index, s.task_index limit $1
),
e as materialized (select * from (select * from c union all select * from d) e limit $1),
g as materialized (
  select r.id from ${runs} r where r.id in (select run_id from e) order by r.id for no key update skip locked
),
u as (
  update ${steps} s set dispatch = 'lost', lease_until = ${names.now} + ${followUpAfterMs}, stop_asked = null
  from (select e.* from e where e.run_id in (select id from g) offset 0) e
  where s.run_id = e.run_id and s.step_index = e.step_index and s.task_index = e.task_index
    and s.dispatch = e.dispatch and s.lease_until = e.lease_until and s.lease_token is not distinct from e.lease_token
  returning s.run_id, s.step_index, s.task_index, s.dispatch_attempt, e.dispatch as was, e.lease_until as ended_at,
    s.limit_key is not null as is_limited, s.queue
),
v as (update ${runs} r set version = r.version + 1 where r.id in (select run_id from u where was = 'leased')),
freed as (
  delete from ${names.table("limit_slots")} s using (select * from u where is_limited offset 0) u
  where s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
  returning u.queue
)
select ${names.now}, (
  select json_agg(json_build_array(u.run_id, u.step_index, u.task_index, u.dispatch_attempt)
    order by u.ended_at, u.run_id, u.step_index, u.task_index) from u
), array(select distinct queue from freed)`,
    },
  };
}

export async function heartbeat(
  link: Link,
  { renew }: LeaseStatements,
  { leaseMs, leases }: HeartbeatRequest,
): Promise<HeartbeatAnswer> {
  const [row] = await link.rows(renew, [
    arrayOf(leases.map(({ runId }) => runId)),
    arrayOf(leases.map(({ step }) => step)),
    arrayOf(leases.map(({ task }) => task)),
    arrayOf(leases.map(({ token }) => token)),
    arrayOf(leases.map(({ progress }) => (progress === undefined ? null : encodeJson(progress, "progress")))),
    Math.ceil(leaseMs),
  ]);
  const [now, list] = row as readonly [number, string | null];
  const renewed = new Map(list === null ? [] : (JSON.parse(list) as readonly (readonly [number, StopCause | null])[]));
  return {
    now,
    leases: leases.map((_, index) => {
      const stopCause = renewed.get(index + 1);
      return stopCause === undefined ? { kind: "lost" } : { kind: "renewed", stopCause };
    }),
  };
}

/** The answer, and the queues in whose limits places are free again. */
export async function sweep(
  link: Link,
  { sweep: statement }: LeaseStatements,
  { limit, deadWorkers = [] }: { readonly limit: number; readonly deadWorkers?: readonly string[] },
): Promise<SweepAnswer & { readonly freedQueues: readonly string[] }> {
  const [row] = await link.rows(statement, [limit, arrayOf(deadWorkers)]);
  const [now, list, freedQueues] = row as readonly [number, string | null, string];
  const lost = list === null ? [] : (JSON.parse(list) as readonly (readonly [string, number, number, number])[]);
  return {
    now,
    lost: lost.map(([runId, step, task, attempt]) => ({ runId, step, task, attempt })),
    freedQueues: textsOf(freedQueues),
  };
}
