import type { Store } from "../store/port.ts";
import type { RunCache } from "./run-cache.ts";
import type { Worker } from "./worker.ts";

const MOST_CHILDREN = 10_000;

/**
 * The runs of a worker of few runs: those it was given, and their children and children's children, whoever has started
 * them. The worker serves the queues that their plans name.
 */
export class RunFamily {
  readonly runIds: Set<string>;
  readonly #worker: Worker;
  readonly #store: Store;
  readonly #runs: RunCache;
  readonly #met = new Set<string>();

  constructor(parts: { runIds: Set<string>; worker: Worker; store: Store; runs: RunCache }) {
    this.runIds = parts.runIds;
    this.#worker = parts.worker;
    this.#store = parts.store;
    this.#runs = parts.runs;
  }

  /** Gets to know runs that are new, and looks for children of those that may have some. */
  async meet(): Promise<void> {
    for (const runId of this.runIds) {
      const run = this.#runs.peek(runId) ?? (await this.#runs.get(runId, 0));
      // A run may be announced before it is created.
      if (run === null) continue;
      if (!this.#met.has(runId)) this.#worker.meet(run.info);
      this.#met.add(runId);
      if (run.info.hasChildren) await this.#adopt(runId);
    }
  }

  async #adopt(parent: string): Promise<void> {
    const children = await this.#store.listRuns({
      parent,
      status: ["queued", "running", "paused"],
      limit: MOST_CHILDREN,
    });
    const before = this.runIds.size;
    for (const { id } of children) this.runIds.add(id);
    if (this.runIds.size > before) this.#worker.hint();
  }
}
