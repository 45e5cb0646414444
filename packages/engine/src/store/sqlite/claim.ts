import { randomUUID } from "node:crypto";
import type { StopCause } from "@braid/core";
import type { Cell } from "../codec.ts";
import { LimitRoom, parseLimitKey } from "../limits.ts";
import type { Needs } from "../limits.ts";
import type { ClaimAnswer, ClaimedTask, ClaimRequest } from "../claims.ts";
import { takeQueued } from "../take-queued.ts";
import type { Lane, QueuedPlace } from "../take-queued.ts";
import type { CellRow, Connection } from "./connection.ts";

/**
 * Claims. Tasks that need nothing are in the index `steps_queued` in the order in which they are taken, so a query reads as
 * many as it takes, plus those whose handler or run this worker does not serve. Parked tasks are in `steps_parked`, one lane
 * for each distinct key of their needs, and of each lane that has room only the best row is read; the next one when that has
 * been taken. So a claim costs a look at each key, not at each parked task.
 */

const queuedRows = (hasHandlers: boolean, hasRuns: boolean, isParked: boolean): string => `
select s.run_id, s.step_index, s.task_index, s.priority, s.queued_at, s.dispatch_attempt, s.handler, s.stop_cause, r.version
from steps s join runs r on r.id = s.run_id
where s.dispatch = 'queued' and s.limit_key ${isParked ? "= ?5" : "is null"} and s.queue = ?1
${
  hasHandlers
    ? `and (s.handler in (select value from json_each(?3)) or exists (
        select 1 from json_each(?3) h where substr(h.value, -1) = '/' and substr(s.handler, 1, length(h.value)) = h.value))`
    : ""
}
${hasRuns ? "and s.run_id in (select value from json_each(?4))" : ""}
order by s.priority desc, s.queued_at, s.run_id, s.step_index, s.task_index
limit ?2`;

const leaseTask = `
update steps set dispatch = 'leased', worker = ?, lease_token = ?, lease_until = ?, claimed_at = ?, stop_asked = null
where run_id = ? and step_index = ? and task_index = ?`;

/** An earlier attempt of the task may have left a row behind. */
const takePlace = `
insert or replace into limit_slots (name, run_id, step_index, task_index, lease_token) values (?, ?, ?, ?, ?)`;

/** What a claim asks for, with lists in the form in which statements take them. */
interface Search {
  readonly request: ClaimRequest;
  readonly queues: ClaimRequest["queues"];
  readonly handlers: string | null;
  readonly runIds: string | null;
  readonly unparkedRows: string;
  readonly parkedRows: string;
}

/** Takes queued tasks for the worker, at most each queue's limit, one queue after the other. */
export async function claim(connection: Connection, request: ClaimRequest, now: () => number): Promise<ClaimAnswer> {
  const search = searchOf(request);
  const nothing = await connection.read(() => lookForNothing(connection, search, now()));
  return nothing ?? connection.write(() => takeTasks(connection, search, now()), "lazy");
}

function searchOf(request: ClaimRequest): Search {
  const handlers = request.handlers === null ? null : JSON.stringify(request.handlers);
  const runIds = request.runIds === null ? null : JSON.stringify(request.runIds);
  const rows = (isParked: boolean): string => queuedRows(handlers !== null, runIds !== null, isParked);
  return {
    request,
    queues: request.queues.filter(({ limit }) => limit > 0),
    handlers,
    runIds,
    unparkedRows: rows(false),
    parkedRows: rows(true),
  };
}

const anyUnparked = "select 1 from steps where dispatch = 'queued' and limit_key is null and queue = ? limit 1";

/**
 * The answer of a claim that finds nothing to take; null: there is something. Most claims of an idle worker find nothing; a look
 * first keeps them from taking the write lock.
 */
function lookForNothing(connection: Connection, search: Search, now: number): ClaimAnswer | null {
  if (search.queues.some(({ queue }) => connection.row(anyUnparked, [queue]) !== undefined)) return null;
  const { room, parked } = readRoom(connection, search, now);
  let isAny = false;
  const take = (): void => {
    isAny = true;
  };
  for (const [queue, tasks] of parked) {
    // One lane after the other: it does not matter which is best.
    for (const lane of parkedLanes(connection, search, { queue, parked: tasks })) {
      takeQueued([lane], { limit: 1, room, take });
      if (isAny) return null;
    }
  }
  return { now, tasks: [], nextAt: room.nextAt, fullerQueues: null };
}

function takeTasks(connection: Connection, search: Search, now: number): ClaimAnswer {
  const { room, parked } = readRoom(connection, search, now);
  const tasks: ClaimedTask[] = [];
  const takenNames = new Set<string>();
  for (const { queue, limit } of search.queues) {
    const unparked = connection.rows(search.unparkedRows, rowCells(search, queue, limit)).map(foundRow);
    const lanes = parkedLanes(connection, search, { queue, parked: parked.get(queue) ?? [] });
    let next = 0;
    takeQueued<FoundRow>([{ needs: null, next: () => unparked[next++] }, ...lanes], {
      limit,
      room,
      take: (row, needs) => {
        tasks.push(lease(connection, search.request, { row, needs, queue, now }));
        for (const { name } of needs?.limits ?? []) takenNames.add(name);
      },
    });
  }
  if (takenNames.size > 0) connection.run(clearPlaces, [JSON.stringify([...takenNames])]);
  for (const [name, tat] of room.changedRates()) connection.run(putRate, [name, tat]);
  return { now, tasks, nextAt: room.nextAt, fullerQueues: null };
}

function rowCells({ handlers, runIds }: Search, queue: string, limit: number): Cell[] {
  const cells: Cell[] = [queue, limit];
  if (handlers !== null || runIds !== null) cells.push(handlers);
  if (runIds !== null) cells.push(runIds);
  return cells;
}

interface FoundRow extends QueuedPlace {
  readonly attempt: number;
  readonly handler: string;
  readonly stopCause: StopCause | null;
  readonly version: number;
}

function foundRow(cells: CellRow): FoundRow {
  const [runId, step, task, priority, queuedAt, attempt, handler, stopCause, version] = cells as [
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
  return { runId, step, task, priority, queuedAt, attempt, handler, stopCause, version };
}

interface Taken {
  readonly row: FoundRow;
  readonly needs: Needs | null;
  readonly queue: string;
  readonly now: number;
}

function lease(connection: Connection, request: ClaimRequest, { row, needs, queue, now }: Taken): ClaimedTask {
  const { runId, step, task, attempt, handler, stopCause, version } = row;
  const token = randomUUID();
  connection.run(leaseTask, [request.worker, token, now + request.leaseMs, now, runId, step, task]);
  for (const { name } of needs?.limits ?? []) connection.run(takePlace, [name, runId, step, task, token]);
  const resources = needs?.resources ?? null;
  return { runId, step, task, attempt, token, handler, queue, claimedAt: now, version, stopCause, resources };
}

interface ParkedTasks {
  readonly key: string;
  readonly needs: Needs;
}

function parkedLanes(
  connection: Connection,
  search: Search,
  { queue, parked }: { readonly queue: string; readonly parked: readonly ParkedTasks[] },
): readonly Lane<FoundRow>[] {
  return parked.map(({ key, needs }) => ({
    needs,
    // A row that was taken is not in the index any more.
    next: () => {
      const found = connection.row(search.parkedRows, [queue, 1, search.handlers, search.runIds, key]);
      return found === undefined ? undefined : foundRow(found);
    },
  }));
}

/** Distinct keys of a queue, each found from the one before: other rows of the index are not touched. */
const parkedKeys = `
with recursive keys (key) as (
  select min(limit_key) from steps where dispatch = 'queued' and queue = ?1 and limit_key is not null
  union all
  select (select min(limit_key) from steps where dispatch = 'queued' and queue = ?1 and limit_key > keys.key)
  from keys where keys.key is not null
)
select key from keys where key is not null`;

const anyParked = "select 1 from steps where dispatch = 'queued' and limit_key is not null and queue = ? limit 1";

/** Whether the lease holds for which a place was taken. */
const isLive = `
exists (
  select 1 from steps s
  where s.run_id = p.run_id and s.step_index = p.step_index and s.task_index = p.task_index
    and s.lease_token = p.lease_token and s.dispatch = 'leased'
)`;

const readUsed = `
select n.value, (select count(*) from limit_slots p where p.name = n.value and ${isLive}) from json_each(?) n`;

const clearPlaces = `
delete from limit_slots as p where p.name in (select value from json_each(?)) and not ${isLive}`;

const readRates = "select name, tat from limits where name in (select value from json_each(?))";

const putRate = "insert into limits (name, tat) values (?, ?) on conflict (name) do update set tat = excluded.tat";

/** The needs of all parked tasks of the queues, and the room there is for them. */
function readRoom(
  connection: Connection,
  { queues, request }: Search,
  now: number,
): { readonly room: LimitRoom; readonly parked: ReadonlyMap<string, readonly ParkedTasks[]> } {
  const parked = new Map<string, readonly ParkedTasks[]>();
  const counted = new Set<string>();
  const rated = new Set<string>();
  for (const { queue } of queues) {
    if (connection.row(anyParked, [queue]) === undefined) continue;
    const tasks = connection.rows(parkedKeys, [queue]).map(([key]): ParkedTasks => {
      return { key: key as string, needs: parseLimitKey(key as string) };
    });
    parked.set(queue, tasks);
    for (const { name, max, rate } of tasks.flatMap(({ needs }) => needs.limits)) {
      if (max !== null) counted.add(name);
      if (rate !== null) rated.add(name);
    }
  }
  const used = numbersOf(connection, readUsed, counted);
  const rates = numbersOf(connection, readRates, rated);
  return { room: new LimitRoom({ now, used, rates, resources: request.resources }), parked };
}

function numbersOf(connection: Connection, sql: string, names: ReadonlySet<string>): ReadonlyMap<string, number> {
  if (names.size === 0) return new Map();
  return new Map(connection.rows(sql, [JSON.stringify([...names])]) as readonly (readonly [string, number])[]);
}
