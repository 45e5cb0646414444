import type { TraceEvent } from "@braid/core";
import type { CachedRun } from "./run-cache.ts";

/** Told when a run has gone on: with the new events where this process made them, without where another may have. */
export type RunListener = (news: { readonly run: CachedRun; readonly trace: readonly TraceEvent[] } | null) => void;

/** Who listens to which run in this process. */
export class EventHub {
  readonly #listeners = new Map<string, Set<RunListener>>();

  /** Returns a function that ends it. */
  listen(runId: string, listener: RunListener): () => void {
    let listeners = this.#listeners.get(runId);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(runId, listeners);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(runId) === listeners) this.#listeners.delete(runId);
    };
  }

  publish(run: CachedRun, trace: readonly TraceEvent[]): void {
    const listeners = this.#listeners.get(run.id);
    if (listeners === undefined || trace.length === 0) return;
    for (const listener of listeners) listener({ run, trace });
  }

  /** Another process may have changed the run; null: any run. */
  hint(runId: string | null = null): void {
    const all = runId === null ? this.#listeners.values() : [this.#listeners.get(runId) ?? []];
    for (const listeners of all) for (const listener of listeners) listener(null);
  }
}
