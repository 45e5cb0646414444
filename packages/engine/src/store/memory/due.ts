import { isTerminal } from "@braid/core";
import type { RunStatus } from "@braid/core";
import { runColumns } from "../codec.ts";
import type { Store } from "../port.ts";
import type { NewSignal } from "../records.ts";
import { nextNoticeAfterMs } from "../prepared-commit.ts";
import { encodeJson, NotStorable } from "../storable.ts";
import type { MemoryData } from "./data.ts";
import type { MemoryRun } from "./rows.ts";

type Due = Awaited<ReturnType<Store["dueRuns"]>>;

const statusIndex = runColumns.findIndex(({ name }) => name === "status");

/** Finds due runs, and puts off the next notice of the signals it tells of. */
export function dueRuns(data: MemoryData, limit: number, now: number): Due {
  const waiting: { readonly run: MemoryRun; readonly at: number }[] = [];
  for (const run of data.runs.values()) {
    const at = dueAt(run);
    if (at !== null) waiting.push({ run, at });
  }
  waiting.sort((a, b) => a.at - b.at || (a.run.record.id < b.run.record.id ? -1 : 1));
  const due = waiting.filter(({ at }) => at <= now).map(({ run }) => run);
  const told = due.slice(0, limit);
  // A run that is due by a signal may still have a timer to come, and the other way round.
  let next = due.length > limit ? now : Infinity;
  for (const run of told) putOffNotices(run, now);
  for (const { run } of waiting) {
    for (const at of instants(run)) if (at > now) next = Math.min(next, at);
  }
  return { now, runIds: told.map(({ record }) => record.id), nextWakeAt: next === Infinity ? null : next };
}

function dueAt(run: MemoryRun): number | null {
  if (run.dueAt === null && run.signals.length === 0) return null;
  const earliest = Math.min(...instants(run));
  return earliest === Infinity ? null : earliest;
}

function instants(run: MemoryRun): readonly number[] {
  const own = run.dueAt === null ? [] : [run.dueAt];
  if (isTerminal(run.cells[statusIndex] as RunStatus)) return own;
  return [...own, ...run.signals.filter(({ isUsed }) => !isUsed).map(({ noticeAt }) => noticeAt)];
}

function putOffNotices({ signals }: MemoryRun, now: number): void {
  for (const signal of signals) {
    if (signal.isUsed || signal.noticeAt > now) continue;
    signal.notices += 1;
    signal.noticeAt = now + nextNoticeAfterMs(signal.notices);
  }
}

export function putSignal(data: MemoryData, signal: NewSignal, now: number): void {
  const payload = encodeJson(signal.payload, `the payload of signal ${signal.id}`);
  const run = data.runs.get(signal.runId);
  if (run === undefined) throw new NotStorable(`there is no run ${signal.runId} for the signal`);
  if (run.signals.some((known) => known.signal.id === signal.id)) return;
  run.signals.push({ signal: { ...signal }, payload, acceptedAt: now, isUsed: false, notices: 0, noticeAt: now });
}
