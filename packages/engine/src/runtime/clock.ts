/**
 * Time as the runtime sees it: monotonic, and with timers of its own, so that a test may run hours in milliseconds.
 * Instants of the store are never read from here (see `StoreTime`).
 */
export interface Clock {
  /** Milliseconds since some fixed instant; never goes back. */
  now(): number;
  /** Calls back once, not before `ms` milliseconds have passed. Returns a function that takes the call back. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back once everything that is already on its way has run: the place where a batch is cut. */
  soon(callback: () => void): void;
}

/** Node fires a longer timer at once instead of never. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** The clock of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const until = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = until - performance.now();
      // Node counts in whole milliseconds of its loop's own clock and may be a fraction early.
      if (left <= 0) callback();
      else timer = setTimeout(wait, Math.min(Math.ceil(left), LONGEST_TIMEOUT));
    };
    timer = setTimeout(wait, Math.max(0, Math.min(Math.ceil(ms), LONGEST_TIMEOUT)));
    return () => clearTimeout(timer);
  },
  soon(callback) {
    setImmediate(callback);
  },
};

/** Resolves after `ms` milliseconds of the clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
