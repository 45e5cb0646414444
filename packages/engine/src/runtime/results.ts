import { isoTime, itemRow, stepRow, stepStatus } from "@braid/core";
import type { JsonValue, RunState, StepRow } from "@braid/core";
import type { Progress, RunResult, StepResultView } from "../engine.ts";
import type { Store } from "../store/port.ts";
import { outputOf } from "./outputs.ts";
import type { ReadValues } from "./outputs.ts";
import type { CachedRun } from "./run-cache.ts";
import type { ValueCache } from "./value-cache.ts";
import { ValueReader } from "./value-reader.ts";

/** Makes results of runs: what `run.summary` shows. */
export class Results {
  readonly #store: Store;
  readonly #values: ValueCache;

  constructor(store: Store, values: ValueCache) {
    this.#store = store;
    this.#values = values;
  }

  /** The result of a run so far. */
  async ofRun(run: CachedRun, now: number): Promise<RunResult> {
    const { state, info } = run;
    const read = await this.#reader(run, info.visibleSteps);
    const steps: Record<string, StepResultView> = {};
    for (const step of info.visibleSteps) steps[info.step(step).id] = viewOf(run, step, read);
    const { run: row } = state;
    const from = row.startedAt ?? row.finishedAt ?? now;
    return {
      runId: run.id,
      epoch: row.epoch,
      status: row.status,
      toleratedFailures: row.toleratedFailures,
      error: errorOf(state),
      failures: row.failures,
      output: row.status === "completed" && info.plan.hasOutput ? await this.#outputOf(run) : null,
      durationMs: Math.max(0, (row.finishedAt ?? now) - from),
      steps,
    };
  }

  async ofStep(run: CachedRun, step: number): Promise<StepResultView> {
    return viewOf(run, step, await this.#reader(run, [step]));
  }

  async #reader(run: CachedRun, steps: readonly number[]): Promise<ReadValues> {
    const reader = new ValueReader(run, this.#values);
    const missing = reader.missingOf((need) => {
      for (const step of steps) outputOf(run.state, step, need);
    });
    if (missing.length > 0) await reader.fill(missing);
    return reader.read;
  }

  async #outputOf(run: CachedRun): Promise<JsonValue> {
    const [payload] = await this.#store.readPayloads([{ runId: run.id, kind: "output" }]);
    return payload?.value ?? null;
  }
}

function errorOf({ run }: RunState): RunResult["error"] {
  if (run.error === null) return null;
  const first = run.failures.find(({ code }) => code === run.error?.code);
  return first === undefined ? run.error : { ...run.error, step: first.step };
}

function viewOf({ state, info }: CachedRun, step: number, read: ReadValues): StepResultView {
  const { isMap, kind } = info.step(step);
  const row = stepRow(state, step);
  const status = stepStatus(row);
  const startedAt = row?.startedAt ?? null;
  const finishedAt = row?.finishedAt ?? null;
  const view: StepResultView = {
    status,
    attempts: isMap ? attemptsOfItems(state, step) : (row?.attempt ?? 0),
    startedAt: startedAt === null ? null : isoTime(startedAt),
    finishedAt: finishedAt === null ? null : isoTime(finishedAt),
    durationMs: startedAt === null || finishedAt === null ? null : Math.max(0, finishedAt - startedAt),
    skipReason: row?.skipReason ?? null,
    cause: status === "canceled" ? (row?.stopCause ?? null) : null,
    tolerated: row?.failure === "tolerated",
    triggeredBy: row?.triggeredBy == null ? null : namesOf(state, row.triggeredBy),
    error: row?.error ?? null,
    output: outputOf(state, step, read) ?? null,
  };
  if (isMap) return { ...view, counts: countItems(row) };
  return kind === "block" ? { ...view, counts: countMembers(state, step) } : view;
}

function attemptsOfItems(state: RunState, step: number): number {
  const count = stepRow(state, step)?.nextItem ?? 0;
  let attempts = 0;
  for (let item = 0; item < count; item += 1) attempts += itemRow(state, step, item)?.attempt ?? 0;
  return attempts;
}

/** Ids of steps; a hidden group is shown by the ids of its members. */
function namesOf(state: RunState, steps: readonly number[], names: string[] = []): readonly string[] {
  for (const step of steps) {
    const { hidden, id, body } = state.plan.steps[step]!;
    if (!hidden) names.push(id);
    else if (body !== null) namesOf(state, state.plan.scopes[body]!.members, names);
  }
  return names;
}

type Counts = NonNullable<StepResultView["counts"]>;

function countItems(row: StepRow | undefined): Counts {
  return {
    total: row?.items ?? 0,
    completed: row?.completedItems ?? 0,
    failed: row?.failedItems ?? 0,
    skipped: row?.skippedItems ?? 0,
    canceled: row?.canceledItems ?? 0,
  };
}

function countMembers(state: RunState, step: number): Counts {
  const { body } = state.plan.steps[step]!;
  const members =
    body === null ? [] : state.plan.scopes[body]!.members.filter((member) => !state.plan.steps[member]!.hidden);
  const count = (status: string): number =>
    members.filter((member) => stepRow(state, member)?.status === status).length;
  return {
    total: members.length,
    completed: count("completed"),
    failed: count("failed"),
    skipped: count("skipped"),
    canceled: count("canceled"),
  };
}

/** How far a run has come, by its visible steps. */
export function progressOf({ state, info }: CachedRun): Progress {
  const { status, completedSteps, failedSteps, skippedSteps, canceledSteps } = state.run;
  const totalSteps = info.visibleSteps.length;
  const settledSteps = completedSteps + failedSteps + skippedSteps + canceledSteps;
  const percentage = totalSteps === 0 ? 100 : Math.floor((settledSteps / totalSteps) * 100);
  return { status, totalSteps, completedSteps, settledSteps, percentage };
}
