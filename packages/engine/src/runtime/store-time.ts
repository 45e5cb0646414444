import type { Clock } from "./clock.ts";

/** After this long the bounds are widened by what clocks may have drifted since, so that old answers cannot mislead for long. */
const DRIFT_AFTER_MS = 60_000;

/** Clocks of computers differ by less than 200 in a million. */
const DRIFT_MS = 12;

/**
 * An estimate of the store's clock without asking it each time.
 *
 * An answer that carries the store's `now` bounds the distance between its clock and ours: the store read its clock
 * after the request was sent and before the answer came. The estimate is the upper end of what all recent answers
 * allow, so it never runs behind the store by more than a clock's drift, and ahead only by the shortest round trip.
 */
export class StoreTime {
  readonly #clock: Clock;
  #lowest = Number.NEGATIVE_INFINITY;
  #highest = Number.POSITIVE_INFINITY;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether an answer was seen, so that `now` may be asked. */
  get isKnown(): boolean {
    return this.#highest !== Number.POSITIVE_INFINITY;
  }

  /** The store's time by estimate, in whole milliseconds since 1970. */
  now(): number {
    if (!this.isKnown) throw new Error("the store's time was asked for before the store had answered once");
    return Math.floor(this.#clock.now() + this.#highest);
  }

  /** Milliseconds until an instant of the store; negative if it is over. */
  until(instant: number): number {
    return instant - (this.#clock.now() + this.#highest);
  }

  /** Makes a call of the store and learns from its answer. */
  async ask<Answer extends { readonly now: number }>(call: () => Promise<Answer>): Promise<Answer> {
    const sent = this.#clock.now();
    const answer = await call();
    if (!Number.isNaN(answer.now)) this.learn(answer.now, sent);
    return answer;
  }

  /** Learns from an answer that came just now, to a request sent at `sent` of the local clock. */
  learn(storeNow: number, sent: number): void {
    const received = this.#clock.now();
    const lowest = storeNow - received;
    const highest = storeNow - sent;
    if (received - this.#since > DRIFT_AFTER_MS) {
      // A single answer may have been long on its way, so it does not take the place of all before.
      this.#since = received;
      this.#lowest -= DRIFT_MS;
      this.#highest += DRIFT_MS;
    }
    // The store's clock shows whole milliseconds: two answers may differ by less than one without a contradiction.
    if (lowest > this.#highest + 1 || highest < this.#lowest - 1) {
      this.#since = received;
      this.#lowest = lowest;
      this.#highest = highest;
      return;
    }
    this.#lowest = Math.max(this.#lowest, lowest);
    this.#highest = Math.min(this.#highest, highest);
  }
}
