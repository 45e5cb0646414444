import type { StepRow } from "@braid/core";
import { limitKey } from "../limits.ts";
import type { Enqueue, PayloadWrite, RunCommit, TaskKey } from "../port.ts";
import { checkTask, followUpMsOf } from "../prepared-commit.ts";
import { encodeJson } from "../storable.ts";
import { packTrace } from "../trace-rows.ts";
import {
  addedStepColumns,
  changedStepColumns,
  fenceColumns,
  runHeadCells,
  traceBefore,
  tracePlaceColumns,
  usualRunColumns,
} from "./batch-columns.ts";
import type { Batch } from "./batch-columns.ts";
import { Columns } from "./columns.ts";
import type { Value } from "./columns.ts";
import { isColdEmpty, readHot, runTravel, stepTravel } from "./row-columns.ts";

/**
 * The batch for the usual statement, made of the rows themselves; null if something in it asks for the full one. Usual are rows
 * that are known to be new or not and hold defaults in all cold columns, attempts that are queued, or closed with a row that is
 * there, and outputs. Throws `NotStorable` for data that cannot be kept.
 */
export function usualBatch(commits: readonly RunCommit[]): Batch | null {
  if (!commits.every(isUsual)) return null;
  const runs = new Columns(usualRunColumns);
  const fences = new Columns(fenceColumns);
  const added = new Columns(addedStepColumns);
  const changed = new Columns(changedStepColumns);
  const queued = new Columns(addedStepColumns);
  const trace = new Columns(tracePlaceColumns);
  const events: string[] = [];
  for (const [index, commit] of commits.entries()) {
    const position = index + 1;
    const packed = packTrace(commit.trace, (commit.trace[0]?.seq ?? 1) - 1);
    const before = traceBefore(commit, packed);
    const { newSteps } = commit;
    const changes = commit.steps.length - newSteps!.size;
    runs.add([...runHeadCells(commit, before, followUpMsOf(commit)), changes, ...readHot(commit.run!, runTravel)]);
    for (const { step, task, token } of commit.fences) fences.add([position, step, task, token]);
    if (packed !== null) {
      // Events travel in one document for all runs, whose parts the server cuts out: quotes in arrays would be escaped twice.
      trace.add([position, packed.firstSeq, packed.lastSeq, packed.at, commit.commitId]);
      events.push(packed.events);
    }
    const host = new HostParts(commit);
    for (const row of commit.steps) {
      const output = outputOf(host.payload.find(row));
      const task = host.task.find(row);
      const hot = readHot(row, stepTravel);
      if (newSteps!.has(row)) added.add([position, ...hot, ...openCells(task), output]);
      else if (task !== undefined) queued.add([position, ...hot, ...openCells(task), output]);
      else changed.add([position, ...hot, host.close.find(row)?.attempt ?? null, output]);
    }
  }
  const isQueueing = queued.length > 0;
  const parts = [runs, fences, added, changed, ...(isQueueing ? [queued] : []), trace];
  return {
    kind: isQueueing ? "queueing" : "usual",
    parameters: [...parts.flatMap((columns) => columns.parameters()), `[${events.join(",")}]`],
    fences: commits.flatMap((each) => each.fences),
  };
}

function isUsual(commit: RunCommit): boolean {
  const { run, steps, newSteps, enqueue, closes, cancels, payloads, runOutput, usedSignals } = commit;
  if (run === null || newSteps === undefined || runOutput !== null || commit.trace.length === 0) return false;
  if (cancels.length > 0 || usedSignals.length > 0 || !isColdEmpty(run, runTravel)) return false;
  if (!steps.every((row) => isColdEmpty(row, stepTravel)) || !payloads.every(isOnlyOutput)) return false;
  // Each part has to be about a row that is written, and a close about one that is there and not queued anew.
  const host = new HostParts(commit);
  let tasks = 0;
  let closed = 0;
  let written = 0;
  for (const row of steps) {
    const isNew = newSteps.has(row);
    const isQueued = host.task.find(row) !== undefined;
    if (isQueued) tasks += 1;
    if (!isNew && !isQueued && host.close.find(row) !== undefined) closed += 1;
    if (host.payload.find(row) !== undefined) written += 1;
  }
  return tasks === enqueue.length && closed === closes.length && written === payloads.length;
}

const isOnlyOutput = (payload: PayloadWrite): boolean => {
  for (const name in payload) if (name !== "step" && name !== "task" && name !== "output") return false;
  return payload.output !== undefined;
};

interface Placed {
  readonly step: number;
  readonly task: number;
}

/** Up to this many parts are looked through; more are looked up. */
const mostLookedThrough = 8;

/** Finds the part of a commit that is about a row. Of several about one row it knows one. */
class Parts<Part extends Placed> {
  readonly #parts: readonly Part[];
  readonly #byPlace: ReadonlyMap<number, Part> | null;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#byPlace = parts.length <= mostLookedThrough ? null : new Map(parts.map((part) => [placeOf(part), part]));
  }

  find(row: StepRow): Part | undefined {
    if (this.#byPlace !== null) return this.#byPlace.get(placeOf(row));
    for (const part of this.#parts) if (part.step === row.step && part.task === row.task) return part;
    return undefined;
  }
}

const placeOf = ({ step, task }: Placed): number => step * 2 ** 26 + task;

class HostParts {
  readonly task: Parts<Enqueue>;
  readonly close: Parts<TaskKey>;
  readonly payload: Parts<PayloadWrite>;

  constructor({ enqueue, closes, payloads }: RunCommit) {
    this.task = new Parts(enqueue);
    this.close = new Parts(closes);
    this.payload = new Parts(payloads);
  }
}

function outputOf(payload: PayloadWrite | undefined): string | null {
  return payload === undefined
    ? null
    : encodeJson(payload.output!, `output of step ${payload.step}, task ${payload.task}`);
}

const noTask: readonly Value[] = [0, null, null, null, null, null, null, null, null, 0, null, null];

function openCells(task: Enqueue | undefined): readonly Value[] {
  if (task === undefined) return noTask;
  checkTask(task);
  const { attempt, queue, handler, priority, lease } = task;
  const key = limitKey(task);
  if (lease === null) return [1, "queued", attempt, queue, handler, priority, null, null, null, 0, null, key];
  const { worker, token, forMs } = lease;
  return [1, "leased", attempt, queue, handler, priority, worker, token, Math.ceil(forMs), 1, null, key];
}
