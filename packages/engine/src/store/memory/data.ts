import type { StoredWorkflow, WorkerRecord } from "../records.ts";
import { QueueIndex } from "./queue-index.ts";
import { stepKey } from "./rows.ts";
import type { MemoryRun, MemoryStep } from "./rows.ts";

/**
 * What the memory store holds. Rows are cells and values are JSON texts, as in a database: nothing is shared with a
 * caller, and what a database would refuse is refused here.
 */
export class MemoryData {
  readonly workflows = new Map<string, (Omit<StoredWorkflow, "definition" | "plan"> & WorkflowTexts)[]>();
  readonly runs = new Map<string, MemoryRun>();
  /** Run ids by workflow and idempotency key. */
  readonly keys = new Map<string, string>();
  readonly queued = new QueueIndex();
  /** Rows whose attempt is leased or lost. */
  readonly leased = new Set<MemoryStep>();
  /** Theoretical arrival times of limits, by name. */
  readonly rates = new Map<string, number>();
  /** Places given in each group of runs so far, by workflow and group. */
  readonly groupPlaces = new Map<string, number>();
  readonly workers = new Map<string, WorkerRecord & { readonly seenAt: number }>();
  readonly ranks = new Map<string, string>();
  #tokens = 0;

  /** Tokens are told apart by number alone, so that a seeded simulation gives the same ones again. */
  newToken(): string {
    this.#tokens += 1;
    return `lease-${this.#tokens}`;
  }

  /** Puts a row in place of an older one of the same key, and both indexes right. */
  install(run: MemoryRun, row: MemoryStep): void {
    const key = stepKey(row.step, row.task);
    const old = run.steps.get(key);
    if (old !== undefined) this.removeFromIndexes(old);
    run.steps.set(key, row);
    if (row.attempt?.dispatch === "queued") this.queued.add(row, row.attempt);
    if (row.attempt?.dispatch === "leased" || row.attempt?.dispatch === "lost") this.leased.add(row);
  }

  removeFromIndexes(row: MemoryStep): void {
    if (row.attempt?.dispatch === "queued") this.queued.remove(row, row.attempt);
    this.leased.delete(row);
  }
}

interface WorkflowTexts {
  readonly definition: string;
  readonly plan: string;
}
