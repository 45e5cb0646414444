import type { JsonObject } from "../json.ts";
import { isByChoice, resolveEdge } from "./edge.ts";
import { handlerGone, handlerStarted, markEnd, openFailure, withCause } from "./failure.ts";
import { clearDeadline, clearRate, clearTaskTimer } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { CancelCause, SkipReason, StepError } from "./status.ts";
import type { StepRow, StopCause } from "../state/rows.ts";
import type { Work } from "./work.ts";

/**
 * How a step starts and ends. Every way to a terminal status goes through `settle`, once per epoch: it numbers the step,
 * clears its timers, counts it in its scope and in the run, and queues its outgoing edges.
 */

/** The step starts: `step.started`, once, and with it the block around it. */
export function markStarted(work: Work, row: StepRow): void {
  if (row.startedAt !== null) return;
  work.touch(row).startedAt = work.at;
  const step = work.step(row.step);
  if (row.status === "ready") row.status = "running";
  const { owner } = work.plan.scopes[step.scope]!;
  if (owner >= 0) markStarted(work, work.touchStep(owner));
  work.emit("step.started", row, null);
  handlerStarted(work, row.step);
}

export function complete(work: Work, row: StepRow, activePorts: readonly string[] | null = null): void {
  work.touch(row);
  if (row.startedAt === null) markStarted(work, row);
  row.status = "completed";
  row.activePorts = activePorts;
  work.emit("step.completed", row, null);
  settle(work, row);
}

export function fail(work: Work, row: StepRow, error: StepError): void {
  const step = work.step(row.step);
  // A block that fails before it has begun takes its members with it; otherwise they have all settled.
  if (step.body !== null && !step.isMap) skipMembers(work, step.body, "scope_failed");
  work.touch(row).status = "failed";
  row.error = withCause(work, row.step, error);
  if (step.kind === "phase") {
    settle(work, row);
    return;
  }
  work.emit("step.failed", row, { error: { ...row.error } });
  if (step.onError === "fail") {
    settle(work, row);
    openFailure(work, row);
  } else {
    row.failure = "tolerated";
    row.isCut = step.onError === "skipDependents";
    work.touchRun().toleratedFailures += 1;
    settle(work, row);
  }
}

/** Stops a step for good: canceled if it had started, else skipped. */
export function stopped(work: Work, row: StepRow, cause: StopCause): void {
  if (row.startedAt === null) {
    skip(work, row.step, { reason: skipReasonOf(cause) });
    return;
  }
  work.touch(row).status = "canceled";
  row.stopCause = cause;
  work.emit("step.canceled", row, { cause });
  settle(work, row);
}

/** What a stop makes of a step that never started. */
export function skipReasonOf(cause: StopCause): SkipReason {
  if (cause === "run_canceled" || cause === "join_lost") return cause;
  return "scope_failed";
}

/** Why a step is skipped, and whether its success and order edges are cut. */
export interface Skip {
  readonly reason: SkipReason;
  readonly isCut?: boolean;
}

/** Skips a step that never started, and first everything in the block it owns. */
export function skip(work: Work, step: number, { reason, isCut = false }: Skip): void {
  const row = work.touchStep(step);
  const planStep = work.step(step);
  if (planStep.body !== null && !planStep.isMap) {
    skipMembers(work, planStep.body, planStep.kind === "phase" ? reason : innerReason(reason));
  }
  row.status = "skipped";
  row.skipReason = reason;
  row.isCut = isCut;
  work.emit("step.skipped", row, { reason, dependencies: dependencies(work, step) });
  settle(work, row);
  if (!isByChoice(reason) && work.state.index.needers[step]!.length === 0) markEnd(work, row);
}

/** Members that have settled already are left alone: a block may have begun without any of them having started. */
function skipMembers(work: Work, scope: number, reason: SkipReason): void {
  for (const member of work.plan.scopes[scope]!.members) {
    const row = work.state.steps[member];
    if (row === undefined || !isTerminal(row.status)) skip(work, member, { reason });
  }
}

const innerReason = (reason: SkipReason): SkipReason =>
  reason === "condition" || reason === "branch_not_taken" ? "upstream_skipped" : reason;

function settle(work: Work, row: StepRow): void {
  const step = work.step(row.step);
  const run = work.touchRun();
  row.settledSeq = ++run.settleSeq;
  row.finishedAt = work.at;
  row.isEvaluating = false;
  clearRate(work, row);
  clearTaskTimer(work, row);
  clearDeadline(work, row);
  if (row.startedAt === null) handlerGone(work, row.step);
  if (row.signal !== null && step.kind === "signal") row.signal = null;
  if (step.kind === "phase") {
    work.checkRun = true;
    return;
  }
  countSettled(work, row);
  if (step.scope === 0) {
    run.remaining -= 1;
    if (run.remaining === 0) work.checkRun = true;
  } else {
    memberSettled(work, step.scope);
  }
  if (step.outgoing.length > 0) work.settled.push(row.step);
}

function memberSettled(work: Work, scope: number): void {
  const owner = work.touchStep(work.plan.scopes[scope]!.owner);
  // A block that was never entered has no count: it is skipped as a whole.
  if (owner.remaining === 0) return;
  owner.remaining -= 1;
  if (owner.remaining === 0) work.scopes.push(scope);
}

function countSettled(work: Work, row: StepRow): void {
  if (work.step(row.step).hidden) return;
  if (row.status === "completed") work.run.completedSteps += 1;
  else if (row.status === "failed") work.run.failedSteps += 1;
  else if (row.status === "skipped") work.run.skippedSteps += 1;
  else work.run.canceledSteps += 1;
}

/** The edges of a step as the trace shows them; hidden sources are shown by the block's id. */
export function dependencies(work: Work, step: number): readonly JsonObject[] {
  return work.step(step).incoming.map((index) => {
    const edge = work.plan.edges[index]!;
    const source = work.state.steps[edge.from];
    const isSettled = source !== undefined && source.settledSeq > 0;
    const state = isSettled ? resolveEdge(work.plan, edge, source) : "unresolved";
    return { step: work.step(edge.from).id, on: edge.on, state };
  });
}

/** Causes a stop passes on to the members of a block, or to the items of a map. */
export function memberCause(cause: CancelCause): CancelCause {
  return cause === "run_canceled" || cause === "run_timeout" ? cause : "parent_stopped";
}
