import type { Clock } from "../runtime/clock.ts";
import { Heap } from "../runtime/heap.ts";

interface Timer {
  readonly at: number;
  /** Order in which timers were set: those of one instant fire in it. */
  readonly order: number;
  callback: (() => void) | null;
}

/** When virtual time begins, milliseconds since 1970: an instant as good as any. */
const EPOCH = Date.UTC(2026, 0, 1);

/**
 * Time that passes only when it is told to: hours of a run take milliseconds, and the same program does the same every
 * time. `process()` gives each simulated process a clock of its own, which can be stopped for ever.
 *
 * @example
 * const time = new VirtualTime();
 * const engine = await createEngine({ store: createMemoryStore({ now: time.wall }), clock: time.process() });
 */
export class VirtualTime {
  #now = 0;
  #order = 0;
  readonly #timers = new Heap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #soon: (() => void)[] = [];

  /** Milliseconds since it began. */
  get elapsed(): number {
    return this.#now;
  }

  /** Milliseconds since 1970, for stores. */
  readonly wall = (): number => EPOCH + this.#now;

  process(): ProcessClock {
    return new ProcessClock({
      now: () => this.#now,
      after: (ms, callback) => this.#after(ms, callback),
      soon: (callback) => void this.#soon.push(callback),
    });
  }

  /** Lets everything happen that needs no time to pass. */
  async settle(): Promise<void> {
    for (;;) {
      // Every promise that is ready has run before the next turn of the loop of the real process.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#soon.length === 0) return;
      const callbacks = this.#soon;
      this.#soon = [];
      for (const callback of callbacks) callback();
    }
  }

  /** Lets time pass, timer by timer, until `isDone`, or for at most `ms` milliseconds. Answers whether it is done. */
  async run(ms: number, isDone: () => boolean = () => false): Promise<boolean> {
    const until = this.#now + ms;
    for (;;) {
      await this.settle();
      if (isDone()) return true;
      const next = this.#nextAt();
      if (next === null || next > until) {
        this.#now = until;
        return isDone();
      }
      this.#now = Math.max(this.#now, next);
      this.#fire();
    }
  }

  #nextAt(): number | null {
    for (;;) {
      const first = this.#timers.top();
      if (first === undefined) return null;
      if (first.callback !== null) return first.at;
      this.#timers.pop();
    }
  }

  /** Fires the timers of this instant, one at a time: what one of them does may take back the next. */
  #fire(): void {
    const timer = this.#timers.pop();
    const callback = timer?.callback;
    if (timer !== undefined) timer.callback = null;
    callback?.();
  }

  #after(ms: number, callback: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order, callback };
    this.#timers.push(timer);
    return () => {
      timer.callback = null;
    };
  }
}

/** The clock of one simulated process. */
export class ProcessClock implements Clock {
  readonly #time: Clock;
  #isDead = false;
  #pausedUntil = 0;

  constructor(time: Clock) {
    this.#time = time;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Milliseconds for which the process still stands still. */
  get pausedFor(): number {
    return Math.max(0, this.#pausedUntil - this.#time.now());
  }

  /** The process is killed: nothing that it waits for ever comes. */
  kill(): void {
    this.#isDead = true;
  }

  /** The process is stopped for a while, as by SIGSTOP: its timers come late. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#time.now() + ms);
  }

  now(): number {
    return this.#time.now();
  }

  after(ms: number, callback: () => void): () => void {
    let cancel = this.#time.after(ms, () => {
      if (this.#isDead) return;
      const wait = this.pausedFor;
      if (wait > 0) cancel = this.after(wait, callback);
      else callback();
    });
    return () => cancel();
  }

  soon(callback: () => void): void {
    this.#time.soon(() => {
      if (this.#isDead) return;
      const wait = this.pausedFor;
      if (wait > 0) this.after(wait, callback);
      else callback();
    });
  }
}
