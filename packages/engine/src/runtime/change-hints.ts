import type { ChangeHint, Store } from "../store/port.ts";
import type { Clock } from "./clock.ts";

/** Pause between two hints: a store may also hint at what this process has done itself. */
const GAP_MS = 20;

/** A hint in full. null: anything of the kind. */
export interface FullHint {
  readonly queues: readonly string[] | null;
  readonly isStopAsked: boolean;
  readonly isDue: boolean;
  readonly runIds: readonly string[] | null;
}

const ANYTHING: FullHint = { queues: null, isStopAsked: true, isDue: true, runIds: null };

/** Passes on hints that another process may have changed something, for as long as somebody wants them. */
export class ChangeHints {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onHint: (hint: FullHint) => void;
  #holders = 0;
  #stop: (() => void) | null = null;
  #lastAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(store: Store, clock: Clock, onHint: (hint: FullHint) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onHint = onHint;
  }

  /** Returns a function that ends it. */
  hold(): () => void {
    this.#holders += 1;
    this.#stop ??= this.#store.onChange((hint) => this.#hear(hint));
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (this.#holders > 0) return;
      this.#stop?.();
      this.#stop = null;
      this.#cancel?.();
      this.#cancel = null;
    };
  }

  /** A hint that names what has changed comes once for each change, and is passed on at once; others wait for more. */
  #hear(hint: ChangeHint): void {
    if (Object.keys(hint).length > 0) {
      this.#onHint(inFull(hint));
      return;
    }
    if (this.#cancel !== null) return;
    const wait = Math.max(0, this.#lastAt + GAP_MS - this.#clock.now());
    this.#cancel = this.#clock.after(wait, () => {
      this.#cancel = null;
      this.#lastAt = this.#clock.now();
      this.#onHint(ANYTHING);
    });
  }
}

function inFull({ queues = [], isStopAsked = false, isDue = false, runIds = [] }: ChangeHint): FullHint {
  return { queues, isStopAsked, isDue, runIds };
}
