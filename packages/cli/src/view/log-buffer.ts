import type { LogLine } from "@braid/engine";

/** Lines of one attempt, waiting for it to end. */
export interface AttemptLog {
  readonly lines: readonly LogLine[];
  /** Lines at the beginning that were not kept. */
  readonly dropped: number;
}

interface OpenLog {
  lines: LogLine[];
  dropped: number;
}

const empty: AttemptLog = { lines: [], dropped: 0 };

/**
 * Keeps the log of each running attempt until it ends, so that it can be shown in one piece. Of a very long one only the
 * end is kept; the store has all of it.
 */
export class LogBuffer {
  readonly #maxLines: number;
  readonly #open = new Map<string, OpenLog>();

  constructor(maxLines = 20_000) {
    this.#maxLines = maxLines;
  }

  add(line: LogLine): void {
    const key = keyOf(line.step, line.task, line.attempt);
    let log = this.#open.get(key);
    if (log === undefined) {
      log = { lines: [], dropped: 0 };
      this.#open.set(key, log);
    }
    log.lines.push(line);
    // Dropping half at a time keeps the cost of a line constant.
    if (log.lines.length >= 2 * this.#maxLines) {
      log.lines = log.lines.slice(this.#maxLines);
      log.dropped += this.#maxLines;
    }
  }

  /** The log of an attempt that has ended; it is forgotten here. An ordinary step is task 0, whatever its lines say. */
  take(step: number, task: number, attempt: number): AttemptLog {
    for (const candidate of task === 0 ? [0, -1] : [task]) {
      const key = keyOf(step, candidate, attempt);
      const log = this.#open.get(key);
      if (log === undefined) continue;
      this.#open.delete(key);
      return log;
    }
    return empty;
  }
}

function keyOf(step: number, task: number, attempt: number): string {
  return `${step}/${task}/${attempt}`;
}
