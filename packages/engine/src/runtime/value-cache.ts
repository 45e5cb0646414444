import type { JsonObject, JsonValue } from "@braid/core";
import type { Store } from "../store/port.ts";
import type { Payload, PayloadRequest } from "../store/records.ts";
import type { PayloadWrite } from "../store/run-commit.ts";
import { rowKey } from "./row-key.ts";

/** Payload columns of one row. Values are JSON that nobody changes. */
export interface Values {
  readonly output: JsonValue | undefined;
  readonly patch: JsonObject | null;
  readonly items: readonly JsonValue[] | null;
  readonly childInput: JsonValue | undefined;
}

export const NO_VALUES: Values = { output: undefined, patch: null, items: null, childInput: undefined };

/** Names a row of a run: `step` -1 is the run's input. */
export interface ValueKey {
  readonly step: number;
  readonly task: number;
}

/** A run, and how often it was retried: a retry changes what its rows hold. */
export interface RunEpoch {
  readonly runId: string;
  readonly epoch: number;
}

interface RunValues {
  readonly epoch: number;
  readonly rows: Map<number, Values>;
  bytes: number;
  /** Written since it was put where it is in the order. */
  isFresh: boolean;
}

/**
 * What a run and a row take beside their values, measured with Node 20: the object and its place in a map. Most outputs
 * are a few bytes, so without it the cache would take many times what it is allowed.
 */
const RUN_BYTES = 224;
const ROW_BYTES = 112;

/**
 * Outputs that were accepted here or read before, so that most expressions need no read. What it holds never changes:
 * a retry of the run raises its epoch, and what was kept of an earlier one goes.
 *
 * The runs that were written longest ago go when the bytes are too many.
 */
export class ValueCache {
  readonly #readPayloads: Store["readPayloads"];
  readonly #mostBytes: number;
  /** In the order in which they may go. A run that is written again is moved only when its turn has come. */
  readonly #runs = new Map<string, RunValues>();
  #bytes = 0;

  constructor(readPayloads: Store["readPayloads"], mostBytes: number) {
    this.#readPayloads = readPayloads;
    this.#mostBytes = mostBytes;
  }

  get(runId: string, epoch: number, key: ValueKey): Values | undefined {
    const run = this.#runs.get(runId);
    return run?.epoch === epoch ? run.rows.get(rowKey(key.step, key.task)) : undefined;
  }

  /** Keeps what a commit has written. Columns that it left alone stay as they are known. */
  accept(run: RunEpoch, write: PayloadWrite, bytes: number): void {
    const known = write.clear === true ? undefined : this.get(run.runId, run.epoch, write);
    this.put(run, write, { values: merge(known ?? NO_VALUES, write), bytes });
  }

  /** Keeps a row. Nobody needs one of an epoch that is over, so a late one is dropped. */
  put({ runId, epoch }: RunEpoch, key: ValueKey, entry: { readonly values: Values; readonly bytes: number }): void {
    const known = this.#runs.get(runId);
    if (known !== undefined && known.epoch > epoch) return;
    const run = known?.epoch === epoch ? known : this.#begin(runId, epoch);
    const row = rowKey(key.step, key.task);
    const bytes = entry.bytes + (run.rows.has(row) ? 0 : ROW_BYTES);
    run.rows.set(row, entry.values);
    run.bytes += bytes;
    run.isFresh = run === known;
    this.#bytes += bytes;
    while (this.#bytes > this.#mostBytes) this.#dropOldest();
  }

  #begin(runId: string, epoch: number): RunValues {
    this.#drop(runId);
    const run = { epoch, rows: new Map(), bytes: RUN_BYTES, isFresh: false };
    this.#runs.set(runId, run);
    this.#bytes += RUN_BYTES;
    return run;
  }

  #dropOldest(): void {
    for (const [runId, run] of this.#runs) {
      if (!run.isFresh) {
        this.#drop(runId);
        return;
      }
      run.isFresh = false;
      this.#runs.delete(runId);
      this.#runs.set(runId, run);
    }
  }

  #drop(runId: string): void {
    this.#bytes -= this.#runs.get(runId)?.bytes ?? 0;
    this.#runs.delete(runId);
  }

  /** Reads rows of any runs in one call and keeps them. Rows that do not exist have no values. */
  async read(requests: readonly (ValueKey & RunEpoch)[]): Promise<readonly Values[]> {
    const payloads = await this.#readPayloads(requests.map(toRequest));
    return requests.map((request, index) => {
      const payload = payloads[index] ?? null;
      const values = payload === null ? NO_VALUES : fromPayload(payload);
      if (payload !== null) this.put(request, request, { values, bytes: sizeOf(values) });
      return values;
    });
  }
}

/** The columns after a write. */
export function merge(known: Values, write: PayloadWrite): Values {
  const base = write.clear === true ? NO_VALUES : known;
  return {
    output: write.output === undefined ? base.output : write.output,
    patch: write.patch ?? base.patch,
    items: write.items ?? base.items,
    childInput: write.childInput === undefined ? base.childInput : write.childInput,
  };
}

function toRequest({ runId, step, task }: ValueKey & { readonly runId: string }): PayloadRequest {
  return step < 0 ? { runId, kind: "input" } : { runId, kind: "step", step, task };
}

function fromPayload({ value, patch, items, childInput }: Payload): Values {
  return { output: value, patch, items, childInput };
}

/** Roughly what the values take; exact figures come with what was written here. */
function sizeOf(values: Values): number {
  const { output, patch, items, childInput } = values;
  if (output === undefined && patch === null && items === null && childInput === undefined) return 0;
  return JSON.stringify([output ?? null, patch, items, childInput ?? null]).length;
}
