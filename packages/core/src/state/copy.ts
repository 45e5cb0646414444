import { RunRow, StepRow } from "./rows.ts";

/**
 * Copies of rows, for before-images. Written out field by field: a generic copy of forty fields costs several times as
 * much, and this runs for every row that a transition touches. A test holds the lists to the classes.
 */
export function copyStepRow(row: StepRow): StepRow {
  const copy = new StepRow(row.step, row.task);
  assignStepRow(copy, row);
  return copy;
}

export function assignStepRow(to: StepRow, from: StepRow): void {
  to.status = from.status;
  to.skipReason = from.skipReason;
  to.stopCause = from.stopCause;
  to.error = from.error;
  to.satisfied = from.satisfied;
  to.dead = from.dead;
  to.neutral = from.neutral;
  to.cut = from.cut;
  to.firedSeq = from.firedSeq;
  to.settledSeq = from.settledSeq;
  to.isEvaluating = from.isEvaluating;
  to.triggeredBy = from.triggeredBy;
  to.isCut = from.isCut;
  to.activePorts = from.activePorts;
  to.failure = from.failure;
  to.reachedEnd = from.reachedEnd;
  to.attempt = from.attempt;
  to.attemptsUsed = from.attemptsUsed;
  to.lost = from.lost;
  to.resets = from.resets;
  to.timer = from.timer;
  to.timerAt = from.timerAt;
  to.deadlineAt = from.deadlineAt;
  to.sleepMs = from.sleepMs;
  to.timeoutMs = from.timeoutMs;
  to.deadlineMs = from.deadlineMs;
  to.signal = from.signal;
  to.stop = from.stop;
  to.remaining = from.remaining;
  to.countedFailures = from.countedFailures;
  to.rateAt = from.rateAt;
  to.rateTat = from.rateTat;
  to.items = from.items;
  to.nextItem = from.nextItem;
  to.completedItems = from.completedItems;
  to.failedItems = from.failedItems;
  to.skippedItems = from.skippedItems;
  to.canceledItems = from.canceledItems;
  to.readyAt = from.readyAt;
  to.startedAt = from.startedAt;
  to.finishedAt = from.finishedAt;
}

export function copyRunRow(row: RunRow): RunRow {
  const copy = new RunRow();
  assignRunRow(copy, row);
  return copy;
}

export function assignRunRow(to: RunRow, from: RunRow): void {
  to.status = from.status;
  to.phase = from.phase;
  to.epoch = from.epoch;
  to.traceSeq = from.traceSeq;
  to.settleSeq = from.settleSeq;
  to.lastAt = from.lastAt;
  to.queuedAt = from.queuedAt;
  to.startedAt = from.startedAt;
  to.finishedAt = from.finishedAt;
  to.pausedAt = from.pausedAt;
  to.cancelCount = from.cancelCount;
  to.wakeAt = from.wakeAt;
  to.timeoutAt = from.timeoutAt;
  to.rateAt = from.rateAt;
  to.rateTat = from.rateTat;
  to.stop = from.stop;
  to.stopCause = from.stopCause;
  to.remaining = from.remaining;
  to.countedFailures = from.countedFailures;
  to.toleratedFailures = from.toleratedFailures;
  to.completedSteps = from.completedSteps;
  to.failedSteps = from.failedSteps;
  to.skippedSteps = from.skippedSteps;
  to.canceledSteps = from.canceledSteps;
  to.maxConcurrent = from.maxConcurrent;
  to.timeoutMs = from.timeoutMs;
  to.mode = from.mode;
  to.ranksId = from.ranksId;
  to.error = from.error;
  to.failures = from.failures;
}
