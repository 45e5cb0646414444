import type { ClaimAnswer, ClaimRequest } from "../store/claims.ts";

/**
 * How a worker shares its places between its queues, and which queues are *drained*: those whose latest claim gave
 * fewer tasks than there were places. Tasks that commits make here for a drained queue are taken at once, since nobody
 * has waited longer. Once one has to be left in the queue it is not drained, and what comes next goes there too, until
 * a claim comes back short again.
 */
export class QueuePlaces {
  readonly #queues: string[];
  /** Whether it takes on every queue that it meets. */
  readonly #isOpen: boolean;
  readonly #drained = new Set<string>();
  #turn = 0;

  /** `null`: whichever queues it meets. */
  constructor(queues: readonly string[] | null) {
    this.#queues = queues === null ? [] : [...queues];
    this.#isOpen = queues === null;
  }

  /** Whether the worker serves the queue. */
  meet(queue: string): boolean {
    if (this.#queues.includes(queue)) return true;
    if (!this.#isOpen) return false;
    this.#queues.push(queue);
    // Of a run that it has just met it knows no task that has waited.
    this.#drained.add(queue);
    return true;
  }

  /** Whether it serves the queue already. */
  serves(queue: string): boolean {
    return this.#queues.includes(queue);
  }

  isDrained(queue: string): boolean {
    return this.#drained.has(queue);
  }

  get areAllDrained(): boolean {
    return this.#drained.size === this.#queues.length;
  }

  /** A task was left in the queue. */
  leave(queue: string): void {
    this.#drained.delete(queue);
  }

  /** Tasks may have been left in any queue. */
  leaveAll(): void {
    this.#drained.clear();
  }

  /** Places by queue for a claim. With fewer places than queues they take turns. */
  share(free: number): ClaimRequest["queues"] {
    const queues = this.#queues;
    if (free <= 0 || queues.length === 0) return [];
    this.#turn = (this.#turn + 1) % queues.length;
    const inTurn = [...queues.slice(this.#turn), ...queues.slice(0, this.#turn)];
    const shares = inTurn.map((queue, index) => {
      const limit = Math.floor(free / queues.length) + (index < free % queues.length ? 1 : 0);
      return { queue, limit };
    });
    return shares.filter(({ limit }) => limit > 0);
  }

  /** Learns from the answer to a claim. */
  note(asked: ClaimRequest["queues"], { tasks, fullerQueues }: Pick<ClaimAnswer, "tasks" | "fullerQueues">): void {
    for (const { queue, limit } of asked) {
      const isLeft =
        fullerQueues === null
          ? tasks.filter((task) => task.queue === queue).length >= limit
          : fullerQueues.includes(queue);
      if (isLeft) this.#drained.delete(queue);
      else this.#drained.add(queue);
    }
  }
}
