import type { ChangeHint } from "../port.ts";
import type { Connection } from "./connection.ts";

const shortestMs = 20;
const longestMs = 250;

/**
 * Notices that another connection has changed the file, by polling a counter in shared memory that costs no lock and no
 * read of the file. It polls only while somebody listens, more slowly while nothing happens, and never keeps the process
 * alive.
 */
export class ChangeWatch {
  readonly #connection: Connection;
  readonly #listeners = new Set<(hint: ChangeHint) => void>();
  #timer: NodeJS.Timeout | null = null;
  #waitMs = shortestMs;
  #seen: number | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  add(listener: (hint: ChangeHint) => void): () => void {
    // One and the same function may listen twice; each time it is another listener.
    const entry = (hint: ChangeHint): void => listener(hint);
    this.#listeners.add(entry);
    if (this.#timer === null) {
      this.#seen = this.#version();
      this.#waitMs = shortestMs;
      this.#schedule();
    }
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#poll(), this.#waitMs);
    this.#timer.unref();
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #poll(): void {
    const version = this.#version();
    const isChanged = version !== null && version !== this.#seen;
    this.#waitMs = isChanged ? shortestMs : Math.min(longestMs, this.#waitMs * 1.5);
    this.#seen = version ?? this.#seen;
    this.#schedule();
    if (!isChanged) return;
    for (const listener of this.#listeners) listener({});
  }

  /** Null where it cannot be read now: the next poll tries again, and a change is a hint at most. */
  #version(): number | null {
    try {
      return this.#connection.row("pragma data_version")?.[0] as number;
    } catch {
      return null;
    }
  }
}
