import { encodeRun, encodeStep } from "./codec.ts";
import type { Cell } from "./codec.ts";
import { checkNeeds } from "./limits.ts";
import { followUpAfterMs } from "./run-commit.ts";
import type { Enqueue, PayloadWrite, RunCommit } from "./run-commit.ts";
import { checkText, encodeJson, NotStorable } from "./storable.ts";
import { packTrace } from "./trace-rows.ts";
import type { TraceRow } from "./trace-rows.ts";

/** A commit whose rows and values are in the form in which they are kept. Made before any lock is taken. */
export interface PreparedCommit {
  readonly commit: RunCommit;
  /** Cells in the order of `runColumns`; null if the run's row did not change. */
  readonly run: readonly Cell[] | null;
  /** Cells in the order of `stepColumns`. */
  readonly steps: readonly (readonly Cell[])[];
  readonly payloads: readonly PreparedPayload[];
  readonly runOutput: string | null;
  readonly trace: TraceRow | null;
}

/** JSON texts to write; an absent column stays as it is. */
export interface PreparedPayload {
  readonly step: number;
  readonly task: number;
  readonly clear: boolean;
  readonly columns: Partial<Record<PayloadColumn, string>>;
}

export const payloadColumns = ["output", "patch", "items", "childInput", "progress"] as const;

export type PayloadColumn = (typeof payloadColumns)[number];

/** Encodes all that a commit carries. Throws `NotStorable` where a store could not give back the same. */
export function prepareCommit(commit: RunCommit): PreparedCommit {
  for (const task of commit.enqueue) checkTask(task);
  const [firstEvent] = commit.trace;
  return {
    commit,
    run: commit.run === null ? null : encodeRun(commit.run),
    steps: commit.steps.map((row) => encodeStep(row)),
    payloads: commit.payloads.map(preparePayload),
    runOutput: commit.runOutput === null ? null : encodeJson(commit.runOutput.output, "the run's output"),
    trace: packTrace(commit.trace, firstEvent === undefined ? 0 : firstEvent.seq - 1),
  };
}

/** Refuses a task that no store could keep or give out. Throws `NotStorable`. */
function checkTask(task: Enqueue): void {
  checkText(task.queue, "the name of a queue");
  checkText(task.handler, "the name of a handler");
  checkNeeds(task);
}

function preparePayload(write: PayloadWrite): PreparedPayload {
  const columns: Partial<Record<PayloadColumn, string>> = {};
  for (const column of payloadColumns) {
    const value = write[column];
    if (value !== undefined) columns[column] = encodeJson(value, `${column} of step ${write.step}, task ${write.task}`);
  }
  return { step: write.step, task: write.task, clear: write.clear === true, columns };
}

/** The trace has no gaps: a commit continues it, and says in the run's row where it has got to. */
export function checkTrace({ commit, trace }: PreparedCommit, traceSeq: number): void {
  if (trace !== null && trace.firstSeq !== traceSeq + 1) {
    throw new NotStorable(`its trace begins at ${trace.firstSeq}, but ${traceSeq + 1} is due`);
  }
  const last = trace?.lastSeq ?? traceSeq;
  if ((commit.run?.traceSeq ?? traceSeq) !== last) {
    throw new NotStorable(`its trace ends at ${last}, but its run row says ${commit.run?.traceSeq ?? traceSeq}`);
  }
}

/** How long the follow-up of a commit may take before its run is due, in milliseconds; null: none is needed. */
export function followUpMsOf({ followUpMs, cancels }: RunCommit): number | null {
  const ms = Math.min(followUpMs ?? Infinity, cancels.length > 0 ? followUpAfterMs : Infinity);
  return ms === Infinity ? null : Math.ceil(ms);
}

/** When a run is due again after a commit: at its earliest timer, or when the follow-up of the commit is missing. */
export function dueAfter(commit: RunCommit, wakeAt: number | null, now: number): number | null {
  const dueAt = Math.min(wakeAt ?? Infinity, now + (followUpMsOf(commit) ?? Infinity));
  return dueAt === Infinity ? null : Math.ceil(dueAt);
}

/** How long after its nth notice (from 1) an unused signal makes its run due again. */
export function nextNoticeAfterMs(notices: number): number {
  return Math.min(followUpAfterMs * 2 ** (notices - 1), longestNoticeMs);
}

const longestNoticeMs = 3_600_000;
