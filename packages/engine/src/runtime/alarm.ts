import type { Clock } from "./clock.ts";
import { Heap } from "./heap.ts";
import type { StoreTime } from "./store-time.ts";

interface Entry {
  readonly at: number;
  readonly id: string;
}

/**
 * One timer for many instants of the store's clock: each id has at most one instant, and `onDue` is told the ids whose
 * instant has come, never early by the estimate of the store's time.
 *
 * An id that is moved or cleared leaves its old entry in the heap; it is dropped when it comes up.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #time: StoreTime;
  readonly #onDue: (ids: readonly string[]) => void;
  readonly #instants = new Map<string, number>();
  readonly #heap = new Heap<Entry>((a, b) => a.at < b.at);
  #cancel: (() => void) | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, time: StoreTime, onDue: (ids: readonly string[]) => void) {
    this.#clock = clock;
    this.#time = time;
    this.#onDue = onDue;
  }

  /** Wakes `id` at that instant instead of any other; null: never. */
  set(id: string, at: number | null): void {
    if (at === null) {
      this.#instants.delete(id);
      if (this.#instants.size === 0) this.clear();
      return;
    }
    if (this.#instants.get(id) === at) return;
    this.#instants.set(id, at);
    this.#heap.push({ at, id });
    this.#arm();
  }

  clear(): void {
    this.#instants.clear();
    this.#heap.clear();
    this.#disarm();
  }

  #arm(): void {
    const first = this.#first();
    if (first === undefined) {
      this.#disarm();
      return;
    }
    if (first.at === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = first.at;
    this.#cancel = this.#clock.after(Math.max(0, this.#time.until(first.at)), () => this.#ring());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #ring(): void {
    this.#disarm();
    const due: string[] = [];
    for (;;) {
      const first = this.#first();
      if (first === undefined || this.#time.until(first.at) > 0) break;
      this.#heap.pop();
      this.#instants.delete(first.id);
      due.push(first.id);
    }
    this.#arm();
    if (due.length > 0) this.#onDue(due);
  }

  /** The earliest entry that still holds. */
  #first(): Entry | undefined {
    for (;;) {
      const first = this.#heap.top();
      if (first === undefined || this.#instants.get(first.id) === first.at) return first;
      this.#heap.pop();
    }
  }
}
