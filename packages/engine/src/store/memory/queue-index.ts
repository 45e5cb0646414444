import type { MemoryStep, OpenAttempt } from "./rows.ts";

interface Entry {
  readonly row: MemoryStep;
  readonly attempt: OpenAttempt;
}

/** Queued rows of each queue in the order in which they are claimed: priority, time, then run, step and task. */
export class QueueIndex {
  readonly #queues = new Map<string, Entry[]>();

  add(row: MemoryStep, attempt: OpenAttempt): void {
    const entries = this.#queues.get(attempt.queue) ?? [];
    this.#queues.set(attempt.queue, entries);
    const entry: Entry = { row, attempt };
    entries.splice(place(entries, entry), 0, entry);
  }

  remove(row: MemoryStep, attempt: OpenAttempt): void {
    const entries = this.#queues.get(attempt.queue);
    if (entries === undefined) return;
    const index = place(entries, { row, attempt });
    if (entries[index]?.row === row) entries.splice(index, 1);
  }

  /** The first rows of a queue that are wanted, at most `limit`. */
  first(queue: string, limit: number, isWanted: (row: MemoryStep, attempt: OpenAttempt) => boolean): MemoryStep[] {
    const rows: MemoryStep[] = [];
    for (const { row, attempt } of this.#queues.get(queue) ?? []) {
      if (rows.length >= limit) break;
      if (isWanted(row, attempt)) rows.push(row);
    }
    return rows;
  }
}

/** Index of the first entry that does not come before this one. */
function place(entries: readonly Entry[], entry: Entry): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(entries[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: Entry, b: Entry): number {
  if (a.attempt.priority !== b.attempt.priority) return b.attempt.priority - a.attempt.priority;
  if (a.attempt.queuedAt !== b.attempt.queuedAt) return a.attempt.queuedAt - b.attempt.queuedAt;
  if (a.row.runId !== b.row.runId) return a.row.runId < b.row.runId ? -1 : 1;
  return a.row.step - b.row.step || a.row.task - b.row.task;
}
