import type { Resources } from "../store/port.ts";

/** What is left of 0.3 after 0.1 and 0.1 were taken has to be enough for 0.1. */
const ROUNDING_ERROR = 1e-9;

/** What a worker has, and what of it its attempts hold, by the tokens of their leases. */
export class ResourceLedger {
  readonly all: Resources;
  readonly #free: Map<string, number>;
  readonly #held = new Map<string, Resources>();

  constructor(all: Resources) {
    this.all = all;
    this.#free = new Map(Object.entries(all));
  }

  get free(): Resources {
    return Object.fromEntries(this.#free);
  }

  hasRoom(wanted: Resources | null): boolean {
    if (wanted === null) return true;
    return Object.entries(wanted).every(([name, amount]) => amount <= (this.#free.get(name) ?? 0) + ROUNDING_ERROR);
  }

  take(token: string, wanted: Resources | null): void {
    if (wanted === null) return;
    this.#held.set(token, wanted);
    for (const [name, amount] of Object.entries(wanted)) this.#free.set(name, (this.#free.get(name) ?? 0) - amount);
  }

  /** Gives back what is held under the token, if anything is. */
  give(token: string): void {
    const held = this.#held.get(token);
    if (held === undefined) return;
    this.#held.delete(token);
    for (const [name, amount] of Object.entries(held)) this.#free.set(name, (this.#free.get(name) ?? 0) + amount);
  }
}
