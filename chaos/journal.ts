import { appendFileSync } from "node:fs";

/** What the store has acknowledged to its client: a promise each. Instants are milliseconds since 1970 and monotonic ones. */
export type JournalEntry =
  | StartEntry
  | {
      readonly type: "cancel";
      readonly run: string;
      readonly askedAt: number;
      readonly at: number;
      readonly mono: number;
      /** Whether it came a second time. */
      readonly isAgain: boolean;
    }
  | {
      readonly type: "signal";
      readonly run: string;
      readonly name: string;
      readonly number: number;
      readonly at: number;
    }
  /** A start with a used key and another input; `refused` is what it has to be. */
  | { readonly type: "conflict"; readonly run: string; readonly key: string; readonly outcome: string };

export interface StartEntry {
  readonly type: "start";
  readonly run: string;
  readonly workflow: string;
  readonly key: string | null;
  readonly number: number;
  /** Starts with this key before. */
  readonly isAgain: boolean;
  readonly at: number;
}

/** Kept in memory by the program, which no fault touches, and in a file for whoever looks at a failed run. */
export class Journal {
  readonly entries: JournalEntry[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  add(entry: JournalEntry): void {
    this.entries.push(entry);
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }
}
