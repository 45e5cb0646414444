import { randomBytes } from "node:crypto";
import type { StopCause } from "@braid/core";
import { LimitRoom, parseLimitKey } from "../limits.ts";
import type { Needs } from "../limits.ts";
import type { ClaimAnswer, ClaimedTask, ClaimRequest } from "../port.ts";
import { comparePlaces, takeQueued } from "../take-queued.ts";
import type { Lane, QueuedPlace } from "../take-queued.ts";
import { arrayOf } from "./link.ts";
import type { CellRow, HeldLink, Link, Parameter, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { isRunId } from "./run-id.ts";

/**
 * Claims.
 *
 * Tasks that need nothing are taken by one statement, in the order of `steps_queued`; rows that another worker is just taking are
 * passed over, so claims never wait for each other. It takes nothing while parked tasks are in the queues: then they and the
 * others are taken together in a transaction, in the order in which they stand in line: it locks the limits that they name, in
 * order of their names, before it looks at what is in use, so all checks of one limit are made one after the other. Nothing else
 * locks a limit; an attempt that ends only deletes its places.
 */
interface ClaimStatements {
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

/** Of this many distinct needs the tasks are looked at in one claim; the next claim goes on from there. */
const mostKeys = 1_000;

const served = `
    and ($3::text[] is null or s.handler = any ($3::text[]) or exists (
      select 1 from unnest($4::text[]) prefix where starts_with(s.handler, prefix)
    ))
    and ($5::uuid[] is null or s.run_id = any ($5::uuid[]))
  order by s.priority desc, s.queued_at`;

const lease = ({ now }: Names): string => `dispatch = 'leased', lease_until = ${now} + $7, claimed_at = ${now}, stop_asked = null, worker = $6`;

function claimStatements(names: Names): ClaimStatements {
  const steps = names.table("steps");
  const runs = names.table("runs");
  const limits = names.table("limits");
  const slots = names.table("limit_slots");
  const found = "c.run_id, c.step_index, c.task_index, c.priority, c.queued_at, c.dispatch_attempt, c.handler, c.stop_cause";
  return {
    take: {
      name: "claim",
      text: `
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
  update ${steps} s set ${lease(names)}, lease_token = $8 || '.' || c.n
  from (select * from c where c.place <= c.room offset 0) c
  where s.run_id = c.run_id and s.step_index = c.step_index and s.task_index = c.task_index
  returning s.*
)
select ${names.now}, (select is_any from parked),
  (select json_agg(json_build_array(${found.replaceAll("c.", "t.")}, r.version, t.lease_token, t.queue))
    from t join ${runs} r on r.id = t.run_id),
  (select json_agg(distinct c.queue) from c where c.place > c.room)`,
    },
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
update ${steps} s set ${lease(names)}, lease_token = u.token
from (
  select * from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[]) u (run_id, step_index, task_index, token)
  where $5::integer is null offset 0
) u
where s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
returning ${names.now}`,
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

/** What a store remembers between claims. */
export class Claims {
  readonly #link: Link;
  readonly #statements: ClaimStatements;
  /** Whether the latest claim found parked tasks: then the next one takes them and the others together. */
  #isAnyParked = false;
  #keysAfter = "";

  constructor(link: Link, names: Names) {
    this.#link = link;
    this.#statements = claimStatements(names);
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const queues = request.queues.filter(({ limit }) => limit > 0);
    if (this.#isAnyParked) return this.#takeTogether({ ...request, queues });
    const answer = await this.#takeQueued({ ...request, queues });
    return this.#isAnyParked ? this.#takeTogether({ ...request, queues }) : answer;
  }

  async #takeQueued(request: ClaimRequest): Promise<ClaimAnswer> {
    const token = randomBytes(6).toString("base64url");
    const parameters = [...searchOf(request), request.worker, Math.ceil(request.leaseMs), token];
    const [row] = await this.#link.rows(this.#statements.take, parameters);
    const [now, isAnyParked, list, fuller] = row as readonly [number, boolean, string | null, string | null];
    this.#isAnyParked = isAnyParked;
    const taken = list === null ? [] : (JSON.parse(list) as readonly TakenRow[]);
    const tasks = taken
      .map(([runId, step, task, priority, queuedAt, ...rest]) => ({ runId, step, task, priority, queuedAt, rest }))
      .toSorted((a, b) => orderOfQueues(request, a.rest[5], b.rest[5]) || comparePlaces(a, b))
      .map(({ runId, step, task, rest }): ClaimedTask => {
        const [attempt, handler, stopCause, version, taskToken, queue] = rest;
        const key = { runId, step, task, attempt };
        return { ...key, token: taskToken, handler, queue, claimedAt: now, version, stopCause, resources: null };
      });
    // One row more than there are places for was looked at, so it is known whether anything is left.
    return { now, tasks, nextAt: null, fullerQueues: fuller === null ? [] : (JSON.parse(fuller) as string[]) };
  }

  /**
   * Parked tasks and others, in the order in which they stand in line. What needs no answer first is sent together, because all
   * other claims of the same limits wait meanwhile.
   */
  async #takeTogether(request: ClaimRequest): Promise<ClaimAnswer> {
    const held = await this.#link.hold();
    try {
      const statements = this.#statements;
      const queues = arrayOf(request.queues.map(({ queue }) => queue));
      const begun = held.run("begin");
      const finding = held.rows(statements.parkedKeys, [queues, this.#keysAfter, mostKeys]);
      const [, keys] = await Promise.all([begun, finding]);
      this.#isAnyParked = keys.length > 0 || this.#keysAfter !== "";
      this.#keysAfter = keys.length === mostKeys ? (keys.at(-1)![1] as string) : "";
      const parked = keys.map(([queue, key]): ParkedKey => {
        return { queue: queue as string, key: key as string, needs: parseLimitKey(key as string) };
      });
      const room = await readRoom(held, statements, { parked, request });
      const taken = chooseTasks(request, room, await findRows(held, statements, { parked, request, room }));
      const writes = taken.length === 0 ? [] : this.#write(held, { taken, room, request });
      await Promise.all([...writes, held.run("commit")]);
      held.release();
      const tasks = taken.map(({ row, needs, token }): ClaimedTask => {
        const { runId, step, task, attempt, handler, stopCause, version, queue } = row;
        const key = { runId, step, task, attempt };
        const resources = needs?.resources ?? null;
        return { ...key, token, handler, queue, claimedAt: room.now, version, stopCause, resources };
      });
      return { now: room.now, tasks, nextAt: room.limits.nextAt, fullerQueues: null };
    } catch (error) {
      await held.rollBack();
      throw error;
    }
  }

  #write(
    held: HeldLink,
    { taken, room, request }: { readonly taken: readonly Taken[]; readonly room: Room; readonly request: ClaimRequest },
  ): readonly Promise<unknown>[] {
    const { takeFound, takePlaces, putRates } = this.#statements;
    const places = taken.flatMap(({ row, needs }) => (needs?.limits ?? []).map(({ name }) => ({ name, row })));
    const rates = [...room.limits.changedRates()];
    const sent = [
      held.rows(takeFound, [
        arrayOf(taken.map(({ row }) => row.runId)),
        arrayOf(taken.map(({ row }) => row.step)),
        arrayOf(taken.map(({ row }) => row.task)),
        arrayOf(taken.map(({ token }) => token)),
        null,
        request.worker,
        Math.ceil(request.leaseMs),
      ]),
    ];
    if (places.length > 0) {
      const parameters = [
        arrayOf(places.map(({ name }) => name)),
        arrayOf(places.map(({ row }) => row.runId)),
        arrayOf(places.map(({ row }) => row.step)),
        arrayOf(places.map(({ row }) => row.task)),
      ];
      sent.push(held.rows(takePlaces, parameters));
    }
    if (rates.length > 0) {
      sent.push(held.rows(putRates, [arrayOf(rates.map(([name]) => name)), arrayOf(rates.map(([, tat]) => tat))]));
    }
    return sent;
  }
}

type TakenRow = readonly [
  runId: string,
  step: number,
  task: number,
  priority: number,
  queuedAt: number,
  attempt: number,
  handler: string,
  stopCause: StopCause | null,
  version: number,
  token: string,
  queue: string,
];

const orderOfQueues = ({ queues }: ClaimRequest, a: string, b: string): number =>
  queues.findIndex(({ queue }) => queue === a) - queues.findIndex(({ queue }) => queue === b);

/** Queues, places in each, and what the worker serves: the first five parameters of every search. */
function searchOf({ queues, handlers, runIds }: ClaimRequest): Parameter[] {
  return [
    arrayOf(queues.map(({ queue }) => queue)),
    arrayOf(queues.map(({ limit }) => limit)),
    handlers === null ? null : arrayOf(handlers),
    handlers === null ? "{}" : arrayOf(handlers.filter((name) => name.endsWith("/"))),
    runIds === null ? null : arrayOf(runIds.filter(isRunId)),
  ];
}

interface ParkedKey {
  readonly queue: string;
  readonly key: string;
  readonly needs: Needs;
}

interface Room {
  readonly now: number;
  readonly limits: LimitRoom;
}

interface Search {
  readonly parked: readonly ParkedKey[];
  readonly request: ClaimRequest;
}

/** Locks the limits and reads what is in use. */
async function readRoom(
  held: HeldLink,
  { addLimits, lockLimits, countPlaces }: ClaimStatements,
  { parked, request }: Search,
): Promise<Room> {
  const names = new Set(parked.flatMap(({ needs }) => needs.limits.map(({ name }) => name)));
  const list = arrayOf([...names].toSorted());
  const isAny = names.size > 0;
  // The count is a statement of its own: what it sees begins after the locks are held. The empty name gives the time where there
  // is no limit.
  const [, locked, counted] = await Promise.all([
    isAny ? held.rows(addLimits, [list]) : [],
    isAny ? held.rows(lockLimits, [list]) : [],
    held.rows(countPlaces, [arrayOf([...names, ""])]),
  ]);
  const now = counted[0]![2] as number;
  const used = new Map(counted.map(([name, count]) => [name as string, count as number]));
  const rates = new Map(locked.map(([name, tat]) => [name as string, tat as number]));
  return { now, limits: new LimitRoom({ now, used, rates, resources: request.resources }) };
}

interface FoundRow extends QueuedPlace {
  readonly queue: string;
  readonly key: string | null;
  readonly attempt: number;
  readonly handler: string;
  readonly stopCause: StopCause | null;
  readonly version: number;
}

/** The best rows of each queue and of each key that has room, locked. */
async function findRows(
  held: HeldLink,
  { findQueued, findParked }: ClaimStatements,
  { parked, request, room }: Search & { readonly room: Room },
): Promise<readonly FoundRow[]> {
  const search = searchOf(request);
  const finding = held.rows(findQueued, search);
  const open = parked.filter(({ needs }) => room.limits.hasPlaces(needs));
  if (open.length === 0) return (await finding).map(foundRow);
  const limitOf = new Map(request.queues.map(({ queue, limit }) => [queue, limit]));
  const [, , ...rest] = search;
  const findingParked = held.rows(findParked, [
    arrayOf(open.map(({ queue }) => queue)),
    arrayOf(open.map(({ queue, needs }) => Math.min(limitOf.get(queue)!, ...needs.limits.map(({ max }) => max ?? Infinity)))),
    ...rest,
    arrayOf(open.map(({ key }) => key)),
  ]);
  const [found, more] = await Promise.all([finding, findingParked]);
  return [...found, ...more].map(foundRow);
}

function foundRow(cells: CellRow): FoundRow {
  const [queue, key, runId, step, task, priority, queuedAt, attempt, handler, stopCause, version] = cells as readonly [
    string,
    string | null,
    string,
    number,
    number,
    number,
    number,
    number,
    string,
    StopCause | null,
    number,
  ];
  return { queue, key, runId, step, task, priority, queuedAt, attempt, handler, stopCause, version };
}

interface Taken {
  readonly row: FoundRow;
  readonly needs: Needs | null;
  readonly token: string;
}

function chooseTasks(request: ClaimRequest, room: Room, rows: readonly FoundRow[]): readonly Taken[] {
  const token = randomBytes(9).toString("base64url");
  const taken: Taken[] = [];
  for (const { queue, limit } of request.queues) {
    takeQueued<FoundRow>(lanesOf(rows.filter((row) => row.queue === queue)), {
      limit,
      room: room.limits,
      take: (row, needs) => taken.push({ row, needs, token: `${token}.${taken.length}` }),
    });
  }
  return taken;
}

/** One lane for each distinct key. */
function lanesOf(rows: readonly FoundRow[]): readonly Lane<FoundRow>[] {
  const byKey = new Map<string | null, FoundRow[]>();
  for (const row of rows) {
    const lane = byKey.get(row.key);
    if (lane === undefined) byKey.set(row.key, [row]);
    else lane.push(row);
  }
  return Array.from(byKey, ([key, lane]) => {
    const waiting = lane.toSorted(comparePlaces);
    let next = 0;
    return { needs: key === null ? null : parseLimitKey(key), next: () => waiting[next++] };
  });
}
