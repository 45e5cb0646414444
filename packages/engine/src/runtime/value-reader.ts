import type { ReadValues } from "./outputs.ts";
import { rowKey } from "./row-key.ts";
import type { CachedRun } from "./run-cache.ts";
import { NO_VALUES } from "./value-cache.ts";
import type { ValueCache, ValueKey, Values } from "./value-cache.ts";

/** Values of a batch that are not committed yet; undefined where the batch has written none. */
export type Overlay = (key: ValueKey) => Values | undefined;

const NONE: readonly ValueKey[] = [];

/**
 * Values of one run for as long as something is being evaluated. It holds on to what it has found, so that a small
 * cache can only cost time, never go round in circles.
 */
export class ValueReader {
  readonly run: CachedRun;
  readonly #cache: ValueCache;
  readonly #overlay: Overlay | null;
  #found: Map<number, Values> | null = null;

  constructor(run: CachedRun, cache: ValueCache, overlay: Overlay | null = null) {
    this.run = run;
    this.#cache = cache;
    this.#overlay = overlay;
  }

  /** A row's values. They must be at hand: ask `missing` first, and `fill` in what it names. */
  readonly read: ReadValues = (step, task) => this.#find({ step, task }) ?? NO_VALUES;

  /** Which of these rows are not at hand. */
  missing(keys: Iterable<ValueKey>): readonly ValueKey[] {
    return this.missingOf((need) => {
      for (const { step, task } of keys) need(step, task);
    });
  }

  /** Which rows are not at hand of those that `needs` asks for. Usually none is missing, and then nothing is listed. */
  missingOf(needs: (need: ReadValues) => void): readonly ValueKey[] {
    let missing: Map<number, ValueKey> | null = null;
    needs((step, task) => {
      const key = { step, task };
      if (this.#find(key) === undefined) (missing ??= new Map()).set(rowKey(step, task), key);
      return NO_VALUES;
    });
    return missing === null ? NONE : [...(missing as Map<number, ValueKey>).values()];
  }

  /** Takes over values that were read. */
  put(key: ValueKey, values: Values): void {
    (this.#found ??= new Map()).set(rowKey(key.step, key.task), values);
  }

  async fill(keys: readonly ValueKey[]): Promise<void> {
    if (keys.length === 0) return;
    const { id, state } = this.run;
    const { epoch } = state.run;
    const values = await this.#cache.read(keys.map((key) => ({ ...key, runId: id, epoch })));
    for (const [index, key] of keys.entries()) this.put(key, values[index]!);
  }

  #find(key: ValueKey): Values | undefined {
    const uncommitted = this.#overlay?.(key);
    if (uncommitted !== undefined) return uncommitted;
    const found = this.#found?.get(rowKey(key.step, key.task));
    if (found !== undefined) return found;
    const cached = this.#cache.get(this.run.id, this.run.state.run.epoch, key);
    if (cached !== undefined) this.put(key, cached);
    return cached;
  }
}
