import type { Needs } from "../limits.ts";
import { comparePlaces } from "../take-queued.ts";
import type { Lane, QueuedPlace } from "../take-queued.ts";
import type { MemoryStep, OpenAttempt } from "./rows.ts";

/** A queued row and its place in line. */
export interface QueuedRow extends QueuedPlace {
  readonly row: MemoryStep;
  readonly attempt: OpenAttempt;
}

interface Line {
  readonly needs: Needs | null;
  readonly entries: QueuedRow[];
}

/** Queued rows of each queue in the order in which they are claimed, those with the same needs in a line of their own. */
export class QueueIndex {
  /** By queue, then by the key of the needs; the empty text stands for none. */
  readonly #queues = new Map<string, Map<string, Line>>();

  add(row: MemoryStep, attempt: OpenAttempt): void {
    const { queue, needs } = attempt;
    const lines = this.#queues.get(queue) ?? new Map<string, Line>();
    this.#queues.set(queue, lines);
    const line = lines.get(needs?.key ?? "") ?? { needs, entries: [] };
    lines.set(needs?.key ?? "", line);
    const entry = entryOf(row, attempt);
    line.entries.splice(place(line.entries, entry), 0, entry);
  }

  remove(row: MemoryStep, attempt: OpenAttempt): void {
    const lines = this.#queues.get(attempt.queue);
    const key = attempt.needs?.key ?? "";
    const entries = lines?.get(key)?.entries;
    if (lines === undefined || entries === undefined) return;
    const index = place(entries, entryOf(row, attempt));
    if (entries[index]?.row === row) entries.splice(index, 1);
    if (entries.length === 0) lines.delete(key);
  }

  /** Whether any task of a queue waits for limits or resources. */
  hasParked(queue: string): boolean {
    const lines = this.#queues.get(queue);
    return lines !== undefined && lines.size > (lines.has("") ? 1 : 0);
  }

  /** The lines of a queue, with only the rows that are wanted. Whoever takes a row removes it before it asks for the next one. */
  lanes(queue: string, isWanted: (row: MemoryStep, attempt: OpenAttempt) => boolean): readonly Lane<QueuedRow>[] {
    return [...(this.#queues.get(queue)?.values() ?? [])].map(({ needs, entries }) => {
      let index = 0;
      const next = (): QueuedRow | undefined => {
        for (; index < entries.length; index += 1) {
          const entry = entries[index]!;
          if (isWanted(entry.row, entry.attempt)) return entry;
        }
        return undefined;
      };
      return { needs, next };
    });
  }
}

function entryOf(row: MemoryStep, attempt: OpenAttempt): QueuedRow {
  const { runId, step, task } = row;
  return { runId, step, task, priority: attempt.priority, queuedAt: attempt.queuedAt, row, attempt };
}

/** Index of the first entry that does not come before this one. */
function place(entries: readonly QueuedRow[], entry: QueuedRow): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePlaces(entries[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
