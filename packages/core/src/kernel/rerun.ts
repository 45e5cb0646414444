import { assignStepRow } from "../state/copy.ts";
import { StepRow } from "../state/rows.ts";
import { resolveEdge } from "./edge.ts";
import type { RunRetry } from "./event.ts";
import { judge } from "./failure.ts";
import { fire } from "./join.ts";
import { rebuildIndexes } from "./load.ts";
import { recount } from "./recount.ts";
import { chooseReset, lostBeside } from "./reset.ts";
import type { Reset } from "./reset.ts";
import { openMain } from "./run.ts";
import { beginItem } from "./start.ts";
import { setDeadline } from "./timer.ts";
import { isTerminal } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * `run.retry`: a terminal run goes on in its next epoch. `reset.ts` says which steps run again; here their rows are put
 * back, counters are made anew from the rows that stay, and what can start starts. O(steps), once per retry.
 */
export function retryRun(work: Work, event: RunRetry): string | null {
  if (!isTerminal(work.run.status)) return "the run is not over";
  for (const step of [event.from, event.only])
    if (step !== undefined && !isRetryable(work, step)) return "no such step";
  const reset = chooseReset(work, event);
  for (const step of lostBeside(work, reset)) work.touchStep(step).failure = "lost";
  const reopenedItems = putBack(work, reset);
  judgeAnew(work, reset);
  startEpoch(work);
  rebuildIndexes(work.state);
  startAgain(work, reset, reopenedItems);
  return null;
}

function isRetryable(work: Work, step: number): boolean {
  const planStep = work.plan.steps[step];
  return planStep !== undefined && !planStep.hidden && isInMain(work, step);
}

/** Hooks and `finally` run again with every retry; no single step of them can be asked for. */
function isInMain(work: Work, step: number): boolean {
  for (let at = step; ;) {
    if (work.step(at).kind === "phase") return false;
    const { owner } = work.plan.scopes[work.step(at).scope]!;
    if (owner < 0) return true;
    at = owner;
  }
}

function putBack(work: Work, reset: Reset): readonly StepRow[] {
  const items: StepRow[] = [];
  for (const step of reset.fresh) {
    putRowBack(work.touchStep(step));
    for (const item of work.state.maps.get(step)?.rows ?? []) if (item !== undefined) putRowBack(work.touch(item));
  }
  for (const step of reset.reopened) items.push(...reopen(work, step));
  // Only now are all sources in place that stay as they are.
  for (const step of reset.fresh) countEdges(work, step);
  return items;
}

/** As if it had never been touched, but for the number of its attempts and resets, and its rate, which counts in real time. */
function putRowBack(row: StepRow): void {
  const blank = new StepRow(row.step, row.task);
  blank.attempt = row.attempt;
  blank.rateTat = row.rateTat;
  blank.resets = row.resets + (row.status === "completed" ? 1 : 0);
  assignStepRow(row, blank);
}

function countEdges(work: Work, step: number): void {
  const row = work.touchStep(step);
  for (const index of work.step(step).incoming) {
    const edge = work.plan.edges[index]!;
    const source = work.state.steps[edge.from];
    if (source !== undefined && source.settledSeq > 0) row[resolveEdge(work.plan, edge, source)] += 1;
  }
}

/** A block goes on with those of its members that run again; a map with its items that failed or never started. */
function reopen(work: Work, step: number): readonly StepRow[] {
  const row = work.touchStep(step);
  row.status = row.startedAt === null ? "ready" : "running";
  row.stopCause = null;
  row.error = null;
  row.settledSeq = 0;
  row.isCut = false;
  row.failure = "none";
  row.reachedEnd = false;
  row.stop = "none";
  row.countedFailures = 0;
  row.finishedAt = null;
  if (!work.step(step).isMap) return [];
  const again: StepRow[] = [];
  for (const item of work.state.maps.get(step)?.rows ?? []) {
    if (item === undefined || item.task >= row.items! || item.status === "completed") continue;
    putRowBack(work.touch(item));
    // Those behind `nextItem` were never admitted in the last epoch, and are still to come.
    if (item.task >= row.nextItem) continue;
    if (work.step(step).kind === "task") item.status = "ready";
    again.push(item);
  }
  row.failedItems = 0;
  row.canceledItems = 0;
  row.skippedItems = 0;
  return again;
}

/** What had made up for a failure may be run again and fail this time: such failures are open until their scope ends again. */
function judgeAnew(work: Work, reset: Reset): void {
  const scopes = [0, ...reset.reopened.map((step) => work.step(step).body!)];
  for (const member of scopes.flatMap((scope) => work.plan.scopes[scope]!.members)) {
    const row = work.state.steps[member];
    if (row?.failure === "tolerated" && work.step(member).onError === "fail") judge(work, work.touch(row));
  }
}

function startEpoch(work: Work): void {
  const run = work.touchRun();
  run.epoch += 1;
  run.status = "running";
  run.phase = "main";
  run.startedAt = work.at;
  run.finishedAt = null;
  run.cancelCount = 0;
  run.stop = "none";
  run.stopCause = null;
  run.error = null;
  run.failures = [];
  recount(work);
  work.emitRun("run.started", { epoch: run.epoch });
}

function startAgain(work: Work, reset: Reset, items: readonly StepRow[]): void {
  for (const step of reset.reopened) {
    const { body } = work.step(step);
    const { timeoutMs } = work.plan.scopes[body!]!;
    if (timeoutMs !== null) setDeadline(work, work.touchStep(step), timeoutMs);
    work.scopes.push(body!);
  }
  for (const item of items) {
    if (work.step(item.step).kind === "task") continue;
    work.state.mapState(item.step).live.add(item.task);
    beginItem(work, item);
  }
  for (const step of reset.fresh) {
    if (!isInOpenScope(work, step)) continue;
    if (work.step(step).incoming.length === 0) fire(work, step);
    else work.queueJoin(step);
  }
  openMain(work);
}

/** Whether the list it stands in is under way; members of a block that starts afresh wait for the block. */
function isInOpenScope(work: Work, step: number): boolean {
  const planStep = work.step(step);
  if (planStep.kind === "phase" || planStep.kind === "pool") return false;
  const { owner } = work.plan.scopes[planStep.scope]!;
  if (owner < 0) return true;
  const status = work.state.steps[owner]?.status;
  return status === "running" || status === "ready";
}
