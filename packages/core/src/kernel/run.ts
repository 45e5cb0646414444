import type { StepRow } from "../state/rows.ts";
import type { RunCreate, RunEvaluated, RunStart } from "./event.ts";
import { failures } from "./result.ts";
import { closeFailures } from "./scope.ts";
import { skip } from "./settle.ts";
import { enterScope } from "./start.ts";
import { clearRate, openTimer } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { RunStatus, SkipReason, StepError } from "./status.ts";
import type { Work } from "./work.ts";
import { fire } from "./join.ts";

/**
 * The life of a run: queued -> running (main -> hooks -> output -> finally) -> completed | failed | canceled.
 *
 * `main` is the workflow's own list; `hooks` its `onSuccess` or `onFailure` list; then `output` is evaluated if nothing
 * failed, and `finally` runs in any case. A phase that has no list is passed at once. A paused run stays where it is.
 */

export function createRun(work: Work, event: RunCreate): string | null {
  if (work.run.traceSeq > 0) return "the run exists";
  const run = work.touchRun();
  run.queuedAt = work.at;
  run.remaining = work.plan.scopes[0]!.members.length;
  run.maxConcurrent = event.overrides?.maxConcurrent ?? null;
  run.timeoutMs = event.overrides?.timeoutMs ?? null;
  run.mode = event.overrides?.mode ?? null;
  work.emitRun("run.queued", null);
  return null;
}

export function startRun(work: Work, event: RunStart): string | null {
  if (work.run.traceSeq === 0) return "the run does not exist";
  if (work.run.status !== "queued") return "the run has started";
  const run = work.touchRun();
  run.status = "running";
  run.startedAt = work.at;
  run.ranksId = event.ranksId ?? null;
  if (event.ranks !== undefined) work.state.ranks = event.ranks;
  work.emitRun("run.started", null);
  openMain(work);
  return null;
}

/** Starts the run's clock and lets the roots of its own list go. */
export function openMain(work: Work): void {
  const timeoutMs = work.run.timeoutMs ?? work.plan.scopes[0]!.timeoutMs;
  if (timeoutMs !== null) {
    const at = work.at + timeoutMs;
    work.touchRun().timeoutAt = at;
    openTimer(work, { at, step: -1, task: -1, kind: "timeout" });
  }
  for (const root of work.state.index.roots[0]!) {
    const row = work.state.steps[root];
    if (row === undefined || (row.status === "pending" && row.firedSeq === 0)) fire(work, root);
  }
  work.checkRun = true;
}

/** Moves the run on when the list of its phase is over. */
export function advanceRun(work: Work): void {
  work.checkRun = false;
  const { run } = work;
  if (run.status !== "running") return;
  if (run.phase === "main") endMain(work);
  else if (run.phase === "hooks") endHooks(work);
  else if (run.phase === "finally") endFinally(work);
}

function endMain(work: Work): void {
  if (work.run.remaining > 0 || !closeFailures(work, work.plan.scopes[0]!.members)) return;
  const { onSuccess, onFailure } = work.plan.phases;
  const ended = mainOutcome(work);
  const chosen = ended === "completed" ? onSuccess : ended === "failed" ? onFailure : null;
  const reason = ended === "canceled" ? "run_canceled" : "branch_not_taken";
  for (const hook of [onSuccess, onFailure]) if (hook !== null && hook !== chosen) skipPhase(work, hook, reason);
  work.touchRun().phase = "hooks";
  if (chosen !== null) enterScope(work, chosen);
  work.checkRun = true;
}

function endHooks(work: Work): void {
  const { onSuccess, onFailure } = work.plan.phases;
  for (const hook of [onSuccess, onFailure]) if (hook !== null && !isSettled(work, hook)) return;
  clearRunTimeout(work);
  const run = work.touchRun();
  run.phase = "output";
  if (work.plan.hasOutput && outcome(work) === "completed") work.command({ type: "evaluate", step: -1, task: -1 });
  else startFinally(work);
}

export function runEvaluated(work: Work, event: RunEvaluated): string | null {
  if (work.run.phase !== "output" || isTerminal(work.run.status)) return "the output was not asked for";
  work.touchRun().error = event.error ?? null;
  startFinally(work);
  return null;
}

function startFinally(work: Work): void {
  work.touchRun().phase = "finally";
  const last = work.plan.phases.finally;
  if (last !== null) {
    // A run that is canceled twice, or before it began, starts nothing more.
    if (work.run.cancelCount > 1 || work.run.startedAt === null) skipPhase(work, last, "run_canceled");
    else enterScope(work, last);
  }
  work.checkRun = true;
}

function endFinally(work: Work): void {
  const last = work.plan.phases.finally;
  if (last !== null && !isSettled(work, last)) return;
  finish(work);
}

function skipPhase(work: Work, phase: number, reason: SkipReason): void {
  const row = work.state.steps[phase];
  if (row === undefined || !isTerminal(row.status)) skip(work, phase, { reason });
}

const isSettled = (work: Work, step: number): boolean => {
  const row = work.state.steps[step];
  return row !== undefined && isTerminal(row.status);
};

function clearRunTimeout(work: Work): void {
  if (work.run.timeoutAt === null) return;
  work.touchRun().timeoutAt = null;
  work.command({ type: "clearTimer", step: -1, task: -1, timer: "timeout" });
}

/** How the run's own list ended. */
function mainOutcome(work: Work): "completed" | "failed" | "canceled" {
  const { run } = work;
  if (run.cancelCount > 0) return "canceled";
  if (run.stopCause === "run_timeout" || run.countedFailures > 0) return "failed";
  return "completed";
}

/** How the run ends, as far as it has come. */
function outcome(work: Work): "completed" | "failed" | "canceled" {
  const main = mainOutcome(work);
  if (main !== "completed" || work.run.error !== null) return main === "completed" ? "failed" : main;
  const { onSuccess, onFailure, finally: last } = work.plan.phases;
  for (const phase of [onSuccess, onFailure, last]) {
    if (phase !== null && hasFailed(work.state.steps[phase])) return "failed";
  }
  return "completed";
}

/** A hook that the run's timeout stopped has failed, as the run has. */
const hasFailed = (row: StepRow | undefined): boolean => row?.status === "failed" || row?.status === "canceled";

/** Ends the run; before it started, everything in it is skipped. */
export function finish(work: Work): void {
  const run = work.touchRun();
  const status: RunStatus = outcome(work);
  run.phase = "done";
  run.status = status;
  run.finishedAt = work.at;
  clearRates(work);
  run.failures = failures(work.state);
  run.error = status === "completed" ? null : runError(work, status);
  work.emitRun(`run.${status}`, run.error === null ? null : endData(status, run.error));
  work.command({ type: "finishRun", status });
}

/** Nothing of a terminal run waits for a rate limit any more. */
function clearRates(work: Work): void {
  for (const { rateLimit, owner } of work.plan.scopes) {
    const row = owner < 0 ? undefined : work.state.steps[owner];
    if (rateLimit !== null && row !== undefined) clearRate(work, row);
  }
  if (work.run.rateAt === null) return;
  work.touchRun().rateAt = null;
  work.command({ type: "clearTimer", step: -1, task: -1, timer: "rate" });
}

const endData = (status: RunStatus, error: StepError) =>
  status === "canceled" ? { cause: "run_canceled" } : { error: { ...error } };

function runError(work: Work, status: RunStatus): StepError {
  const { run } = work;
  if (status === "canceled") return { code: "canceled", message: "The run was canceled." };
  if (run.stopCause === "run_timeout") {
    return { code: "timeout", message: "The run did not end before its timeout." };
  }
  if (run.error !== null && run.failures.length === 0) return run.error;
  const first = run.failures[0];
  if (first === undefined)
    return run.error ?? { code: "scope_failed", message: "Steps lost earlier were not run again." };
  return { code: first.code, message: `\`${first.step}\` failed: ${first.message}` };
}
