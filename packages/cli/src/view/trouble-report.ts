import { isStoreTrouble, messageLine } from "../store/store-trouble.ts";
import { formatDuration } from "../terminal/format.ts";
import { oneLine } from "../terminal/sanitize.ts";

/** The same trouble is told once in this time. */
const quietMs = 60_000;

/** All trouble with the store is one trouble, whichever of many calls meets it. */
const ofStore = "store";

export interface TroubleParts {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Shows one line. */
  readonly write: (line: string) => void;
}

interface Told {
  readonly since: number;
  at: number;
  latest: number;
}

/**
 * Tells people of trouble that passes by itself: a line when it comes, not more than one a minute while it lasts, and for
 * the store one when it is over. A database that is away fails many calls a second; nobody wants to read them all.
 */
export class TroubleReport {
  readonly #parts: TroubleParts;
  readonly #told = new Map<string, Told>();

  constructor(parts: TroubleParts) {
    this.#parts = parts;
  }

  /** Whether the store gave trouble and nobody has found it cured. */
  get hasStoreTrouble(): boolean {
    return this.#told.has(ofStore);
  }

  /** When the store gave trouble last; 0: never. */
  get latestStoreTrouble(): number {
    return this.#told.get(ofStore)?.latest ?? 0;
  }

  tell(what: string, error: unknown): void {
    const isStore = isStoreTrouble(error);
    const kind = isStore ? ofStore : what;
    const now = this.#parts.now();
    const told = this.#told.get(kind);
    if (told !== undefined) {
      told.latest = now;
      if (now - told.at < quietMs) return;
    }
    if (this.#told.size > 100) this.#told.clear();
    this.#told.set(kind, { since: told?.since ?? now, at: now, latest: now });
    const next = isStore ? "Trying again until it works." : "Trying again.";
    const lasting = told === undefined ? "" : ` (for ${formatDuration(now - told.since)} now)`;
    this.#parts.write(`cannot ${oneLine(what)}${lasting}: ${sentence(messageLine(error))} ${next}`);
  }

  /** The store has answered. */
  storeAnswers(): void {
    const told = this.#told.get(ofStore);
    if (told === undefined) return;
    this.#told.delete(ofStore);
    this.#parts.write(`the store answers again, after ${formatDuration(this.#parts.now() - told.since)}`);
  }
}

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);
