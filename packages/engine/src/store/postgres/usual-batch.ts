import type { StepRow } from "@braid/core";
import { checkNeeds, limitKey } from "../limits.ts";
import type { Enqueue, PayloadWrite, RunCommit } from "../run-commit.ts";
import { followUpMsOf } from "../prepared-commit.ts";
import { encodeJson } from "../storable.ts";
import { packTrace } from "../trace-rows.ts";
import {
  addedStepColumns,
  changedStepColumns,
  fenceColumns,
  runHeadCells,
  traceBefore,
  usualRunColumns,
} from "./batch-columns.ts";
import type { Batch } from "./batch-columns.ts";
import { Columns, parametersOf, valuesOf } from "./columns.ts";
import type { Value } from "./columns.ts";
import { isColdRun, isColdStep, putHot, runTravel, stepTravel } from "./row-columns.ts";

const runs = new Columns(usualRunColumns);
const fences = new Columns(fenceColumns);
const added = new Columns(addedStepColumns);
const changed = new Columns(changedStepColumns);
const queued = new Columns(addedStepColumns);
const usual = [runs, fences, added, changed];
const queueing = [runs, fences, added, changed, queued];

/**
 * The batch for the usual statement, made of the rows themselves; null if something in it asks for the full one. Usual are rows
 * that are known to be new or not and hold defaults in all cold columns, attempts that are queued, or closed with a row that is
 * there, and outputs. Throws `NotStorable` for data that cannot be kept.
 */
export function usualBatch(commits: readonly RunCommit[]): Batch | null {
  if (!commits.every(mayBeUsual)) return null;
  for (const columns of queueing) columns.clear();
  for (const [index, commit] of commits.entries()) if (!addCommit(index + 1, commit)) return null;
  const allFences = commits.flatMap((each) => each.fences);
  if (queued.length > 0) return { kind: "queueing", parameters: parametersOf(queueing), fences: allFences };
  const isSingle = runs.length === 1 && fences.length === 1 && added.length <= 1 && changed.length <= 1;
  if (isSingle) return { kind: "single", parameters: valuesOf(runs, [fences, added, changed]), fences: allFences };
  return { kind: "usual", parameters: parametersOf(usual), fences: allFences };
}

/** What can be told without looking at the rows. */
function mayBeUsual({ run, newSteps, cancels, payloads, runOutput, usedSignals, trace: events }: RunCommit): boolean {
  if (run === null || newSteps === undefined || runOutput !== null) return false;
  return cancels.length === 0 && usedSignals.length === 0 && events.length > 0 && payloads.every(isOnlyOutput);
}

const isOnlyOutput = (payload: PayloadWrite): boolean => {
  for (const name in payload) if (name !== "step" && name !== "task" && name !== "output") return false;
  return payload.output !== undefined;
};

/** Answers false where the commit is not a usual one. */
function addCommit(position: number, commit: RunCommit): boolean {
  const run = commit.run!;
  if (!isColdRun(run)) return false;
  const packed = packTrace(commit.trace, commit.trace[0]!.seq - 1)!;
  for (const cell of runHeadCells(commit, traceBefore(commit, packed), followUpMsOf(commit))) runs.put(cell);
  runs.put(commit.steps.length - commit.newSteps!.size);
  runs.put(packed.at);
  runs.put(packed.events);
  putHot(runs, run, runTravel);
  runs.end();
  for (const { step, task, token } of commit.fences) fences.add([position, step, task, token]);
  return addSteps(position, commit);
}

/** Each part has to be about a row that is written, and a close about one that is there and not queued anew. */
function addSteps(position: number, { steps, newSteps, enqueue, closes, payloads }: RunCommit): boolean {
  const tasks = new Parts(enqueue);
  const ends = new Parts(closes);
  const outputs = new Parts(payloads);
  for (const row of steps) {
    if (!isColdStep(row)) return false;
    const isNew = newSteps!.has(row);
    const task = tasks.find(row);
    const rows = isNew ? added : task === undefined ? changed : queued;
    rows.put(position);
    putHot(rows, row, stepTravel);
    if (rows === changed) rows.put(ends.find(row)?.attempt ?? null);
    else for (const cell of openCells(task)) rows.put(cell);
    rows.put(outputOf(outputs.find(row)));
    rows.end();
  }
  return tasks.areFound && ends.areFound && outputs.areFound;
}

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
  #found = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#byPlace = parts.length <= mostLookedThrough ? null : new Map(parts.map((part) => [placeOf(part), part]));
  }

  find(row: StepRow): Part | undefined {
    const part = this.#byPlace === null ? this.#lookThrough(row) : this.#byPlace.get(placeOf(row));
    if (part !== undefined) this.#found += 1;
    return part;
  }

  #lookThrough(row: StepRow): Part | undefined {
    for (const part of this.#parts) if (part.step === row.step && part.task === row.task) return part;
    return undefined;
  }

  /** Whether a row was found for each part. */
  get areFound(): boolean {
    return this.#found === this.#parts.length;
  }
}

const placeOf = ({ step, task }: Placed): number => step * 2 ** 26 + task;

function outputOf(payload: PayloadWrite | undefined): string | null {
  return payload === undefined
    ? null
    : encodeJson(payload.output!, `output of step ${payload.step}, task ${payload.task}`);
}

const noTask: readonly null[] = Array.from({ length: 9 }, () => null);

function openCells(task: Enqueue | undefined): readonly Value[] {
  if (task === undefined) return noTask;
  checkNeeds(task);
  const { attempt, queue, handler, priority, lease } = task;
  const key = limitKey(task);
  if (lease === null) return ["queued", attempt, queue, handler, priority, null, null, null, key];
  const { worker, token, forMs } = lease;
  return ["leased", attempt, queue, handler, priority, worker, token, Math.ceil(forMs), key];
}
