import { isTerminal, itemRow, stepRow, visibleSteps } from "@braid/core";
import type { JsonObject, JsonValue, RunState, StepError } from "@braid/core";
import { outputOf } from "./outputs.ts";
import type { ReadValues } from "./outputs.ts";
import type { PlanInfo } from "./plan-info.ts";

/**
 * What one step of a run sees: the steps that had reached it through resolved edges when its join fired. All of it is
 * immutable from then on, so it may be asked at any later time and gives the same. `step` -1 is the run's output, which
 * sees everything.
 */
export class Sight {
  readonly info: PlanInfo;
  readonly state: RunState;
  readonly step: number;
  readonly task: number;
  #visible: ReadonlySet<number> | undefined;

  constructor(run: { readonly info: PlanInfo; readonly state: RunState }, step: number, task: number) {
    this.info = run.info;
    this.state = run.state;
    this.step = step;
    this.task = task;
  }

  /**
   * Whether the step sees one that an expression may name. The compiler lets expressions name ancestors only, so in a plan without
   * joins that fire early it is enough that the other had settled before this one's join fired.
   */
  sees(other: number): boolean {
    const row = stepRow(this.state, other);
    if (row === undefined || row.settledSeq === 0) return false;
    if (this.step < 0) return true;
    const firedSeq = stepRow(this.state, this.step)?.firedSeq ?? 0;
    if (firedSeq > 0 && row.settledSeq > firedSeq) return false;
    return !this.info.hasEarlyJoin || this.#hasReached(other);
  }

  /** Whether the other has reached this step over resolved edges. */
  #hasReached(other: number): boolean {
    if (this.step < 0 || this.#isInPhase()) return true;
    this.#visible ??= new Set(visibleSteps(this.state, this.step));
    return this.#visible.has(other);
  }

  /** Hooks and `finally` may read every step: all of them settled before the phase began. */
  #isInPhase(): boolean {
    const { scopes, steps } = this.info.plan;
    for (let scope = scopes[steps[this.step]!.scope]!; scope.owner >= 0; scope = scopes[steps[scope.owner]!.scope]!) {
      if (scope.kind === "phase") return true;
    }
    return false;
  }

  output(other: number, read: ReadValues): JsonValue | undefined {
    return this.sees(other) ? outputOf(this.state, other, read) : undefined;
  }

  /** The output of this step itself, which has completed. */
  completedOutput(read: ReadValues): JsonValue {
    return outputOf(this.state, this.step, read) ?? null;
  }

  /** `steps.<id>`: status and error, and the output where there is one. */
  view(other: number, read: ReadValues): Record<string, unknown> {
    const row = this.sees(other) ? stepRow(this.state, other) : undefined;
    const view: Record<string, unknown> = { status: row?.status ?? "pending", error: row?.error ?? null };
    const output = row === undefined ? undefined : outputOf(this.state, other, read);
    if (output !== undefined) view["output"] = output;
    return view;
  }

  /**
   * Failures that led here: sources that failed, in definition order; for hooks and `finally` those that count for the
   * run.
   */
  errors(): readonly (StepError & { readonly step: string })[] {
    return this.step >= 0 && !this.#isInPhase() ? this.#failedSources() : countedFailures(this.state);
  }

  #failedSources(): readonly (StepError & { readonly step: string })[] {
    const found: (StepError & { step: string })[] = [];
    for (const source of this.info.sources(this.step)) {
      const row = stepRow(this.state, source);
      if (row?.status !== "failed" || row.error === null || !this.sees(source)) continue;
      found.push(named(this.info.step(source).id, row.error));
    }
    return found;
  }

  /**
   * Steps whose shard of the shared context has reached this one, in merge order. Any step of the plan may write, ancestor or
   * not, so here only the edges count: what merely happened to settle earlier must not show.
   */
  writers(): readonly number[] {
    return this.info.writers.filter((writer) => {
      const isDone = stepRow(this.state, writer)?.status === "completed" && this.sees(writer);
      return isDone && this.#hasReached(writer);
    });
  }

  /** `run` as expressions see it. Once the steps have settled, its status says how the run is about to end. */
  run(): JsonObject {
    const { run, runId } = this.state;
    const { workflow, version } = this.info;
    return {
      id: runId,
      workflow,
      version,
      epoch: run.epoch,
      status: run.phase !== "main" && !isTerminal(run.status) ? statusSoFar(this.state) : run.status,
    };
  }

  /** Resets of this task, for its idempotency key. */
  get resets(): number {
    const row = this.task < 0 ? stepRow(this.state, this.step) : itemRow(this.state, this.step, this.task);
    return row?.resets ?? 0;
  }
}

const named = (step: string, error: StepError): StepError & { readonly step: string } => ({ step, ...error });

/** Failures of steps without members that count, in the order in which they happened. */
function countedFailures(state: RunState): readonly (StepError & { readonly step: string })[] {
  const rows = state.steps.filter((row) => {
    if (row?.failure !== "counted" || row.error === null) return false;
    const { body, isMap } = state.plan.steps[row.step]!;
    return body === null || isMap;
  });
  rows.sort((a, b) => a!.settledSeq - b!.settledSeq);
  return rows.map((row) => named(state.plan.steps[row!.step]!.id, row!.error!));
}

function statusSoFar(state: RunState): "completed" | "failed" | "canceled" {
  const { run, plan } = state;
  if (run.cancelCount > 0) return "canceled";
  const { onSuccess, onFailure } = plan.phases;
  const hasHookFailed = [onSuccess, onFailure].some((phase) => {
    const status = phase === null ? undefined : stepRow(state, phase)?.status;
    return status === "failed" || status === "canceled";
  });
  const hasFailed = run.stopCause === "run_timeout" || run.countedFailures > 0 || run.error !== null;
  return hasFailed || hasHookFailed ? "failed" : "completed";
}
