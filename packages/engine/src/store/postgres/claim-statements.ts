import type { Statement } from "./link.ts";
import type { Names } from "./names.ts";

export interface ClaimStatements {
  readonly take: Statement;
  readonly parkedKeys: Statement;
  readonly addLimits: Statement;
  readonly lockLimits: Statement;
  readonly countPlaces: Statement;
  readonly findQueued: Statement;
  readonly findParked: Statement;
  readonly takeFound: Statement;
  readonly takePlaces: Statement;
  readonly putRates: Statement;
}

const served = `
    and ($3::text[] is null or s.handler = any ($3::text[]) or exists (
      select 1 from unnest($4::text[]) prefix where starts_with(s.handler, prefix)
    ))
    and ($5::uuid[] is null or s.run_id = any ($5::uuid[]))
  order by s.priority desc, s.queued_at`;

/** Columns of a task that was found, as `c`. */
const found =
  "c.run_id, c.step_index, c.task_index, c.priority, c.queued_at, c.dispatch_attempt, c.handler, c.stop_cause";

/** `claimedAt`: the instant for which limits were granted; the lease counts from the statement itself. */
const lease = ({ now }: Names, claimedAt: string): string =>
  `dispatch = 'leased', lease_until = ${now} + $7, claimed_at = ${claimedAt}, stop_asked = null, worker = $6`;

export function claimStatements(names: Names): ClaimStatements {
  return { take: takeQueued(names), ...parkedStatements(names), ...limitStatements(names) };
}

/** Tasks that need nothing; none while parked tasks are in the queues. */
function takeQueued(names: Names): Statement {
  const steps = names.table("steps");
  const runs = names.table("runs");
  const text = `
with parked as materialized (
  select exists (
    select 1 from unnest($1::text[]) q (queue) cross join lateral (
      select 1 from ${steps} s where s.dispatch = 'queued' and s.limit_key is not null and s.queue = q.queue limit 1
    ) p
  ) as is_any
),
c as materialized (
  select c.*, q.room, q.queue, row_number() over (partition by q.n) as place, row_number() over () as n
  from (
    select * from unnest($1::text[], $2::integer[]) with ordinality q (queue, room, n) where not (select is_any from parked)
  ) q cross join lateral (
    select s.run_id, s.step_index, s.task_index from ${steps} s
    where s.dispatch = 'queued' and s.limit_key is null and s.queue = q.queue${served}
    limit q.room + 1 for update skip locked
  ) c
),
t as (
  update ${steps} s set ${lease(names, names.now)}, lease_token = $8 || '.' || c.n
  from (select * from c where c.place <= c.room offset 0) c
  where s.run_id = c.run_id and s.step_index = c.step_index and s.task_index = c.task_index
  returning s.*
)
select ${names.now}, (select is_any from parked),
  (select json_agg(json_build_array(${found.replaceAll("c.", "t.")}, r.version, t.lease_token, t.queue))
    from t join ${runs} r on r.id = t.run_id),
  (select json_agg(distinct c.queue) from c where c.place > c.room)`;
  return { name: "claim", text };
}

type ParkedStatements = Pick<ClaimStatements, "parkedKeys" | "findQueued" | "findParked" | "takeFound">;

/** What a claim of parked tasks reads and writes of the tasks. */
function parkedStatements(names: Names): ParkedStatements {
  const steps = names.table("steps");
  const runs = names.table("runs");
  return {
    parkedKeys: {
      name: "claim_keys",
      text: `
with recursive k as (
  select q.queue, (
    select s.limit_key from ${steps} s
    where s.dispatch = 'queued' and s.limit_key is not null and s.queue = q.queue and s.limit_key > $2
    order by s.limit_key limit 1
  ) as limit_key
  from unnest($1::text[]) q (queue)
  union all
  select k.queue, (
    select s.limit_key from ${steps} s
    where s.dispatch = 'queued' and s.limit_key is not null and s.queue = k.queue and s.limit_key > k.limit_key
    order by s.limit_key limit 1
  )
  from k where k.limit_key is not null
)
select queue, limit_key from k where limit_key is not null limit $3`,
    },
    findQueued: {
      name: "claim_find_queued",
      text: `
select c.queue, null, ${found}, r.version
from unnest($1::text[], $2::integer[]) as q (queue, room) cross join lateral (
  select s.* from ${steps} s
  where s.dispatch = 'queued' and s.limit_key is null and s.queue = q.queue${served}
  limit q.room for update skip locked
) c join ${runs} r on r.id = c.run_id`,
    },
    findParked: {
      name: "claim_find_parked",
      text: `
select c.queue, c.limit_key, ${found}, r.version
from unnest($1::text[], $2::integer[], $6::text[]) as q (queue, room, key) cross join lateral (
  select s.* from ${steps} s
  where s.dispatch = 'queued' and s.limit_key = q.key and s.queue = q.queue${served}
  limit q.room for update skip locked
) c join ${runs} r on r.id = c.run_id`,
    },
    takeFound: {
      name: "claim_take_found",
      text: `
update ${steps} s set ${lease(names, "$5")}, lease_token = u.token
from (
  select * from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[]) u (run_id, step_index, task_index, token)
  where $5::bigint is not null offset 0
) u
where s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
returning ${names.now}`,
    },
  };
}

type LimitStatements = Pick<ClaimStatements, "addLimits" | "lockLimits" | "countPlaces" | "takePlaces" | "putRates">;

/** What it reads and writes of the limits. */
function limitStatements(names: Names): LimitStatements {
  const limits = names.table("limits");
  const slots = names.table("limit_slots");
  return {
    addLimits: {
      name: "claim_add_limits",
      text: `
insert into ${limits} (name, rate_tat) select n, 0 from unnest($1::text[]) n on conflict (name) do nothing`,
    },
    lockLimits: {
      name: "claim_lock_limits",
      text: `select name, rate_tat from ${limits} where name = any ($1::text[]) order by name collate "C" for update`,
    },
    countPlaces: {
      name: "claim_count_places",
      text: `
select n, (select count(*) from ${slots} s where s.name = n), ${names.now} from unnest($1::text[]) n`,
    },
    takePlaces: {
      name: "claim_take_places",
      text: `
insert into ${slots} (name, run_id, step_index, task_index)
select * from unnest($1::text[], $2::uuid[], $3::integer[], $4::integer[])`,
    },
    putRates: {
      name: "claim_put_rates",
      text: `
update ${limits} l set rate_tat = u.tat
from (select * from unnest($1::text[], $2::double precision[]) u (name, tat) offset 0) u where l.name = u.name`,
    },
  };
}
