import type { Enqueue, Resources, TaskLimit } from "./run-commit.ts";
import { checkText, NotStorable } from "./storable.ts";

/**
 * Limits that tasks of several runs share, and the resources of a worker. This is the part that every store has in common: it
 * decides, for one parked task after the other, which may be taken now. The store reads what is in use inside the transaction
 * of its claim, asks here, and writes down in the same transaction what was taken.
 *
 * - A place of a limit is in use as long as an attempt that declares its name is leased, whatever else that attempt declares.
 *   Nobody counts places: a store finds out from its leases, so that no count can drift.
 * - The rate of a name is one instant, its theoretical arrival time (GCRA), as in the kernel. A start moves it on by the
 *   interval that the starting task declares; whether it allows a start is a matter of the interval and the burst that
 *   the asking task declares.
 * - All tasks with the same limits and resources are alike: of those that wait, if one has to, so have all others.
 */

/** What has to be free before a task can be taken. */
export interface Needs {
  readonly limits: readonly TaskLimit[];
  /** null: nothing. */
  readonly resources: Resources | null;
}

/** An index entry must hold the key besides a queue and a run, and PostgreSQL's holds 2,704 bytes. */
const longestKeyBytes = 2_000;

/**
 * The text under which tasks with the same needs wait: canonical JSON of them. null: the task needs nothing and is not parked.
 */
export function limitKey({ limits, resources }: Needs): string | null {
  const amounts = resources === null ? [] : Object.entries(resources);
  if (limits.length === 0 && amounts.length === 0) return null;
  return JSON.stringify({
    limits: limits.map(({ name, max, rate }) => ({
      name,
      max,
      rate: rate === null ? null : { count: rate.count, perMs: rate.perMs, burst: rate.burst },
    })),
    resources: amounts.length === 0 ? null : Object.fromEntries(amounts.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  });
}

/** The needs that a key stands for. */
export function parseLimitKey(key: string): Needs {
  return JSON.parse(key) as Needs;
}

/** Refuses needs that a store cannot keep or compute with. Throws `NotStorable`. */
export function checkNeeds(task: Enqueue): void {
  const { limits, resources, lease } = task;
  if (limits.length === 0 && resources === null) return;
  const what = `step ${task.step}, task ${task.task}`;
  if (lease !== null && limits.length > 0) {
    throw new NotStorable(`${what} is leased at once although it has limits, which only a claim may pass`);
  }
  for (const [index, limit] of limits.entries()) {
    checkLimit(limit, what);
    if (index > 0 && limits[index - 1]!.name >= limit.name) {
      throw new NotStorable(`the limits of ${what} are not in order of their names, each once`);
    }
  }
  for (const [name, amount] of Object.entries(resources ?? {})) {
    checkText(name, `the name of a resource of ${what}`);
    if (!(amount >= 0 && amount < Infinity)) throw new NotStorable(`${what} needs ${amount} of \`${name}\``);
  }
  const key = limitKey(task);
  if (key !== null && Buffer.byteLength(key) > longestKeyBytes) {
    throw new NotStorable(`the limits and resources of ${what} take more than ${longestKeyBytes} bytes`);
  }
}

function checkLimit({ name, max, rate }: TaskLimit, what: string): void {
  checkText(name, `the name of a limit of ${what}`);
  if (max !== null && !(Number.isSafeInteger(max) && max >= 0)) {
    throw new NotStorable(`limit \`${name}\` of ${what} has a maximum of ${max}`);
  }
  if (rate === null) return;
  const isRate = rate.count > 0 && rate.perMs > 0 && rate.perMs / rate.count < Infinity;
  if (isRate && Number.isSafeInteger(rate.burst) && rate.burst >= 1) return;
  throw new NotStorable(
    `limit \`${name}\` of ${what} has a rate of ${rate.count} in ${rate.perMs} ms, ${rate.burst} at once`,
  );
}

/** What is in use and what is free at one instant. */
export interface LimitState {
  readonly now: number;
  /** Places in use, by name of the limit; an absent name has none. Needed only of names for which a waiting task has a `max`. */
  readonly used: ReadonlyMap<string, number>;
  /** Theoretical arrival times, by name of the limit; an absent name has had no start. Needed only of names with a `rate`. */
  readonly rates: ReadonlyMap<string, number>;
  /** What the worker has free; null: it does not count. */
  readonly resources: Resources | null;
}

/** Amounts may be fractions, and what is left of 0.3 after 0.1 and 0.1 were taken has to be enough for 0.1. */
const amountError = 1e-9;

/** An instant of today is exact to a quarter of a microsecond; a start is not put off by a millisecond because of that. */
const instantErrorMs = 1e-3;

/**
 * The room that limits and resources leave during one claim. What it once refused it refuses until the claim is over, because
 * room only gets less.
 */
export class LimitRoom {
  readonly #now: number;
  readonly #used: Map<string, number>;
  readonly #rates: ReadonlyMap<string, number>;
  readonly #free: Map<string, number> | null;
  /** How far the theoretical arrival time is ahead of now, of names of which starts were taken. Small numbers add up exactly. */
  readonly #aheadMs = new Map<string, number>();
  #nextAt: number | null = null;

  constructor({ now, used, rates, resources }: LimitState) {
    this.#now = now;
    this.#used = new Map(used);
    this.#rates = rates;
    this.#free = resources === null ? null : new Map(Object.entries(resources));
  }

  /** When the first rate opens that alone held back a task that was asked for; null: none did. */
  get nextAt(): number | null {
    return this.#nextAt;
  }

  /** Whether there are places and resources for a task, whatever the rates say. */
  hasPlaces({ limits, resources }: Needs): boolean {
    const isAnyFull = limits.some(({ name, max }) => max !== null && this.#usedOf(name) >= max);
    const free = this.#free;
    if (isAnyFull || resources === null || free === null) return !isAnyFull;
    return Object.entries(resources).every(([name, amount]) => amount <= (free.get(name) ?? 0) + amountError);
  }

  /** Takes a place of each limit, a start of each rate and the resources, or, if any of them does not allow it, nothing. */
  tryTake(needs: Needs): boolean {
    if (!this.hasPlaces(needs)) return false;
    const opensInMs = this.#ratesOpenInMs(needs);
    if (opensInMs > 0) {
      this.#nextAt = Math.min(this.#nextAt ?? Infinity, Math.ceil(this.#now + opensInMs));
      return false;
    }
    for (const { name, rate } of needs.limits) {
      this.#used.set(name, this.#usedOf(name) + 1);
      if (rate !== null) this.#aheadMs.set(name, this.#aheadMsOf(name) + rate.perMs / rate.count);
    }
    for (const [name, amount] of Object.entries(needs.resources ?? {})) {
      this.#free?.set(name, (this.#free.get(name) ?? 0) - amount);
    }
    return true;
  }

  /** New theoretical arrival times of the names of which starts were taken. */
  changedRates(): ReadonlyMap<string, number> {
    return new Map([...this.#aheadMs].map(([name, aheadMs]) => [name, this.#now + aheadMs]));
  }

  #usedOf(name: string): number {
    return this.#used.get(name) ?? 0;
  }

  #aheadMsOf(name: string): number {
    return this.#aheadMs.get(name) ?? Math.max(0, (this.#rates.get(name) ?? 0) - this.#now);
  }

  /** How long until all rates of a task allow a start: each `burst - 1` intervals before its theoretical arrival time. */
  #ratesOpenInMs({ limits }: Needs): number {
    let opensInMs = 0;
    for (const { name, rate } of limits) {
      if (rate === null) continue;
      const beforeMs = (rate.burst - 1) * (rate.perMs / rate.count);
      opensInMs = Math.max(opensInMs, this.#aheadMsOf(name) - beforeMs - instantErrorMs);
    }
    return opensInMs;
  }
}
