import { allSteps } from "../workflows/spec.ts";
import type { StepSpec } from "../workflows/spec.ts";
import { attemptsOf } from "./evidence.ts";
import type { AttemptRecord, Evidence } from "./evidence.ts";
import type { RunEvidence } from "./records.ts";
import type { Violation } from "./violation.ts";

/**
 * A worker's estimate of the store's clock is ahead by no more than the way of a request to the store, so a timer may fire that
 * much early: some milliseconds on a busy machine, and a tenth of a second where the network was slow of late.
 */
const toleranceMs = { calm: 20, slow: 100 } as const;
/** How long an estimate is kept, and a bit. */
const estimateMs = 70_000;
/** Retry delays move by so much either way. */
const jitter = 0.1;

export interface TimerCheck {
  readonly violations: readonly Violation[];
  readonly checked: number;
  /** By how much the earliest timer fired before its time; negative: none did. */
  readonly earliestMs: number;
}

/** I14, by the monotonic clock of the machine, from what the code of steps wrote down. */
export function checkTimers(evidence: Evidence): TimerCheck {
  const violations: Violation[] = [];
  let checked = 0;
  let earliestMs = Number.NEGATIVE_INFINITY;
  for (const record of evidence.runs.values()) {
    const spec = evidence.specs.get(record.run.workflow);
    if (spec === undefined) continue;
    const times = new RunTimes(evidence, record);
    const waits = allSteps(spec).flatMap((step) => times.waitsOf(step, spec.steps));
    for (const { what, atLeastMs, tookMs, endedAt } of waits) {
      checked += 1;
      const earlyMs = atLeastMs - tookMs;
      earliestMs = Math.max(earliestMs, earlyMs);
      if (earlyMs > (wasSlow(evidence, endedAt) ? toleranceMs.slow : toleranceMs.calm))
        violations.push({
          invariant: "I14",
          run: record.run.id,
          text: `${spec.name}: ${what} of ${atLeastMs} ms was over after ${tookMs.toFixed(1)} ms`,
        });
    }
  }
  return { violations, checked, earliestMs };
}

const wasSlow = ({ faults }: Evidence, mono: number): boolean =>
  faults.some(
    ({ kind, begunAt, endedAt }) => (kind === "F8" || kind === "F10") && begunAt < mono && endedAt + estimateMs > mono,
  );

interface Wait {
  readonly what: string;
  readonly atLeastMs: number;
  readonly tookMs: number;
  /** Monotonic. */
  readonly endedAt: number;
}

class RunTimes {
  readonly #evidence: Evidence;
  readonly #attempts = new Map<string, AttemptRecord[]>();

  constructor(evidence: Evidence, record: RunEvidence) {
    this.#evidence = evidence;
    for (const attempt of attemptsOf(record))
      this.#attempts.set(attempt.step, [...(this.#attempts.get(attempt.step) ?? []), attempt]);
  }

  waitsOf(step: StepSpec, all: readonly StepSpec[]): readonly Wait[] {
    return [...this.#delaysOf(step, all), ...this.#retriesOf(step), ...this.#timeoutsOf(step)];
  }

  /** Delays before a step, and sleeps between two. */
  #delaysOf(step: StepSpec, all: readonly StepSpec[]): readonly Wait[] {
    const begunAt = this.#begunAt(step.id);
    if (begunAt === null || step.join !== undefined || step.action.kind !== "task") return [];
    const waits: Wait[] = [];
    const own = step.startDelayMs ?? 0;
    const sourcesAt = this.#endedAt(step);
    if (own > 0 && sourcesAt !== null)
      waits.push({
        what: `the start delay of \`${step.id}\``,
        atLeastMs: own,
        tookMs: begunAt - sourcesAt,
        endedAt: begunAt,
      });
    for (const need of step.needs) {
      const source = all.find(({ id }) => id === need.step);
      if (source?.action.kind !== "sleep" || source.join !== undefined || source.when === false) continue;
      const before = this.#endedAt(source);
      if (before === null) continue;
      waits.push({
        what: `the sleep \`${source.id}\``,
        atLeastMs: source.action.ms + (source.startDelayMs ?? 0) + own,
        tookMs: begunAt - before,
        endedAt: begunAt,
      });
    }
    return waits;
  }

  /** From one failed attempt to the next. */
  #retriesOf({ id, action }: StepSpec): readonly Wait[] {
    if (action.kind !== "task" || action.items !== undefined) return [];
    const attempts = this.#attempts.get(id) ?? [];
    return attempts.flatMap(({ key, end }, index): readonly Wait[] => {
      const failedAt = this.#evidence.ends.get(key)?.[0]?.mono;
      const next = attempts[index + 1];
      const begunAt = next === undefined ? undefined : this.#evidence.begins.get(next.key)?.[0]?.mono;
      if (end !== "failed" || failedAt === undefined || begunAt === undefined) return [];
      return [
        {
          what: `a retry delay of \`${id}\``,
          atLeastMs: action.retryDelayMs * (1 - jitter),
          tookMs: begunAt - failedAt,
          endedAt: begunAt,
        },
      ];
    });
  }

  #timeoutsOf({ id, action }: StepSpec): readonly Wait[] {
    if (action.kind !== "task" || action.timeoutMs === undefined) return [];
    const { timeoutMs } = action;
    return (this.#attempts.get(id) ?? []).flatMap(({ key }): readonly Wait[] => {
      const begin = this.#evidence.begins.get(key)?.[0];
      const end = this.#evidence.ends.get(key)?.[0];
      if (begin === undefined || end?.reason !== "timeout") return [];
      // The clock of an attempt starts with its lease; before its code begins its values may have to be read.
      const startedAt = this.#evidence.claims.get(key)?.findLast(({ mono }) => mono <= begin.mono)?.mono ?? begin.mono;
      return [
        {
          what: `the timeout of \`${id}\``,
          atLeastMs: timeoutMs,
          tookMs: end.mono - startedAt,
          endedAt: end.mono,
        },
      ];
    });
  }

  #begunAt(step: string): number | null {
    const begins = (this.#attempts.get(step) ?? []).flatMap(
      ({ key }) => this.#evidence.begins.get(key)?.map(({ mono }) => mono) ?? [],
    );
    return begins.length === 0 ? null : Math.min(...begins);
  }

  /** When the code of all that a step needs had ended; null where any of it is no code, or has not completed. */
  #endedAt({ needs }: StepSpec): number | null {
    const ends = needs.map(({ step, on }) => {
      const done = (this.#attempts.get(step) ?? []).filter(({ end }) => end === "completed");
      const monos = done.map(({ key }) => this.#evidence.ends.get(key)?.[0]?.mono ?? Number.NaN);
      return on === "success" && monos.length > 0 ? Math.max(...monos) : Number.NaN;
    });
    return ends.length === 0 || ends.some((mono) => Number.isNaN(mono)) ? null : Math.max(...ends);
  }
}
