import type { Resources } from "../store/run-commit.ts";

/** What is left of 0.3 after 0.1 and 0.1 were taken has to be enough for 0.1. */
const ROUNDING_ERROR = 1e-9;

/** What a worker has, and what of it its attempts hold, by the tokens of their leases. */
export class ResourceLedger {
  /** null: the worker does not count. */
  readonly #free: Map<string, number> | null;
  readonly #held = new Map<string, Resources>();

  constructor(all: Resources | null) {
    this.#free = all === null ? null : new Map(Object.entries(all));
  }

  get free(): Resources | null {
    return this.#free === null ? null : Object.fromEntries(this.#free);
  }

  hasRoom(wanted: Resources | null): boolean {
    const free = this.#free;
    if (wanted === null || free === null) return true;
    return Object.entries(wanted).every(([name, amount]) => amount <= (free.get(name) ?? 0) + ROUNDING_ERROR);
  }

  take(token: string, wanted: Resources | null): void {
    if (wanted === null) return;
    this.#held.set(token, wanted);
    this.#add(wanted, -1);
  }

  /** Gives back what is held under the token, if anything is. */
  give(token: string): void {
    const held = this.#held.get(token);
    if (held === undefined) return;
    this.#held.delete(token);
    this.#add(held, 1);
  }

  #add(amounts: Resources, sign: 1 | -1): void {
    for (const [name, amount] of Object.entries(amounts)) {
      this.#free?.set(name, (this.#free.get(name) ?? 0) + sign * amount);
    }
  }
}
