import type { JournalEntry } from "../journal.ts";
import { attemptsOf } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";
import type { Violation } from "./violation.ts";

type Cancel = Extract<JournalEntry, { readonly type: "cancel" }>;

/** Heartbeats come three times in a lease; twice as long for machines that are busy with other things. */
const hearWithinMs = 2_000;
/** A fault may be felt for so long after its end. */
const shadowMs = 6_000;

export interface CancelCheck {
  readonly violations: readonly Violation[];
  /** Milliseconds from the acknowledged cancel to the end of running code, worst last; with faults, and without any near. */
  readonly latenciesMs: readonly number[];
  readonly calmLatenciesMs: readonly number[];
}

/** I13. */
export function checkCancels(evidence: Evidence): CancelCheck {
  const cancels = new Map<string, Cancel>();
  for (const entry of evidence.journal) {
    if (entry.type === "cancel" && !cancels.has(entry.run)) cancels.set(entry.run, entry);
  }
  const violations: Violation[] = [];
  const latenciesMs: number[] = [];
  const calmLatenciesMs: number[] = [];
  for (const cancel of cancels.values()) {
    violations.push(...lateStarts(evidence, cancel));
    for (const endedAt of stoppedAfter(evidence, cancel)) {
      const latency = endedAt - cancel.mono;
      latenciesMs.push(latency);
      if (!isCalm(evidence, cancel.mono, endedAt)) continue;
      calmLatenciesMs.push(latency);
      if (latency > hearWithinMs)
        violations.push({
          invariant: "I13",
          run: cancel.run,
          text: `running code heard of the cancel after ${latency.toFixed(0)} ms`,
        });
    }
  }
  return { violations, latenciesMs: latenciesMs.toSorted(byValue), calmLatenciesMs: calmLatenciesMs.toSorted(byValue) };
}

const byValue = (a: number, b: number): number => a - b;

/** Leases that were given after the cancel was acknowledged, but for those of `finally`. */
function lateStarts(evidence: Evidence, cancel: Cancel): readonly Violation[] {
  const record = evidence.runs.get(cancel.run);
  const spec = evidence.specs.get(record?.run.workflow ?? "");
  if (record === undefined || spec === undefined) return [];
  const last = new Set((spec.finally ?? []).map(({ id }) => id));
  return attemptsOf(record).flatMap(({ key, step, attempt }) => {
    if (last.has(step)) return [];
    const late = (evidence.claims.get(key) ?? []).filter(({ grantedAt }) => grantedAt > cancel.at);
    return late.map(({ grantedAt }) => {
      const text = `attempt ${attempt} of \`${step}\` got its lease ${grantedAt - cancel.at} ms after the cancel was acknowledged`;
      return { invariant: "I13", run: cancel.run, text };
    });
  });
}

/** When code ended that was under way when the cancel was acknowledged, and was stopped by it. */
function stoppedAfter(evidence: Evidence, cancel: Cancel): readonly number[] {
  const record = evidence.runs.get(cancel.run);
  if (record === undefined) return [];
  return attemptsOf(record).flatMap(({ key }) => {
    const begin = evidence.begins.get(key)?.[0];
    const end = evidence.ends.get(key)?.[0];
    if (begin === undefined || end?.reason !== "canceled") return [];
    return begin.mono < cancel.mono && end.mono > cancel.mono ? [end.mono] : [];
  });
}

const isCalm = ({ faults }: Evidence, from: number, to: number): boolean =>
  faults.every(({ begunAt, endedAt }) => begunAt > to || endedAt + shadowMs < from);
