import type { Store } from "../store/port.ts";
import type { LogLine } from "../store/records.ts";
import type { Clock } from "./clock.ts";

const FLUSH_AFTER_MS = 100;
const FLUSH_AT_LINES = 500;

/**
 * Lines that wait for the store when it does not take them; older ones are dropped, because a log is never worth the
 * memory.
 */
const MOST_LINES = 50_000;

/** Collects log lines of attempts and writes them in batches, beside the commits: a log never holds up a run. */
export class LogSink {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onLog: ((line: LogLine) => void) | null;
  #lines: LogLine[] = [];
  #cancel: (() => void) | null = null;
  #writing: Promise<void> | null = null;

  constructor(parts: { store: Store; clock: Clock; onLog: ((line: LogLine) => void) | null }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#onLog = parts.onLog;
  }

  add(line: LogLine): void {
    this.#onLog?.(line);
    this.#lines.push(line);
    if (this.#lines.length >= FLUSH_AT_LINES) void this.flush();
    else this.#cancel ??= this.#clock.after(FLUSH_AFTER_MS, () => void this.flush());
  }

  /** Writes what is there. Never rejects: lines that the store does not take now are tried again with the next ones. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    while (this.#writing !== null) await this.#writing;
    if (this.#lines.length === 0) return;
    this.#writing = this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    try {
      await this.#store.appendLogs(lines);
    } catch {
      this.#lines = [...lines, ...this.#lines].slice(-MOST_LINES);
    }
    this.#writing = null;
  }
}
