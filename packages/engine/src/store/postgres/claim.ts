import { randomBytes } from "node:crypto";
import type { StopCause } from "@braid/core";
import { LimitRoom, parseLimitKey } from "../limits.ts";
import type { Needs } from "../limits.ts";
import type { ClaimAnswer, ClaimedTask, ClaimRequest } from "../claims.ts";
import { comparePlaces, takeQueued } from "../take-queued.ts";
import type { Lane, QueuedPlace } from "../take-queued.ts";
import { arrayOf } from "./link.ts";
import { claimStatements } from "./claim-statements.ts";
import type { ClaimStatements } from "./claim-statements.ts";
import type { CellRow, HeldLink, Link, Parameter } from "./link.ts";
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
/** Of this many distinct needs the tasks are looked at in one claim; the next claim goes on from there. */
const mostKeys = 1_000;

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
        return taskOf({ runId, step, task, attempt, handler, stopCause, version, queue }, taskToken, now);
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
      const begun = held.begin();
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
      await Promise.all([...writes, held.commit()]);
      held.release();
      const tasks = taken.map(({ row, needs, token }) =>
        Object.assign(taskOf(row, token, room.now), { resources: needs?.resources ?? null }),
      );
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
        room.now,
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

type Claimed = Omit<ClaimedTask, "token" | "claimedAt" | "resources">;

function taskOf(row: Claimed, token: string, claimedAt: number): ClaimedTask {
  const { runId, step, task, attempt, handler, stopCause, version, queue } = row;
  return { runId, step, task, attempt, token, handler, queue, claimedAt, version, stopCause, resources: null };
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
    handlers === null ? null : handlersOf(handlers),
    handlers === null ? "{}" : arrayOf(handlers.filter((name) => name.endsWith("/"))),
    runIds === null ? null : arrayOf(runIds.filter(isRunId)),
  ];
}

const knownHandlers = new WeakMap<readonly string[], string>();

/** A worker of many functions asks with the same long list again and again. */
function handlersOf(handlers: readonly string[]): string {
  let literal = knownHandlers.get(handlers);
  if (literal === undefined) {
    literal = arrayOf(handlers);
    knownHandlers.set(handlers, literal);
  }
  return literal;
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
    arrayOf(
      open.map(({ queue, needs }) => Math.min(limitOf.get(queue)!, ...needs.limits.map(({ max }) => max ?? Infinity))),
    ),
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
