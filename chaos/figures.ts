import { cpus } from "node:os";
import { attemptsOf } from "./checks/evidence.ts";
import type { AttemptRecord, Evidence } from "./checks/evidence.ts";
import type { CancelCheck } from "./checks/cancels.ts";
import type { LimitCheck } from "./checks/limits.ts";
import type { Sometimes } from "./checks/sometimes.ts";
import type { TimerCheck } from "./checks/timers.ts";
import { invariants } from "./checks/violation.ts";
import type { Violation } from "./checks/violation.ts";
import { faultKinds, faultNames } from "./faults/fault.ts";
import type { FaultKind } from "./faults/fault.ts";
import type { OracleLine } from "./oracle/line.ts";

/** What a run of the program has measured: what `--json` writes. */
export interface Figures {
  readonly seed: number;
  readonly minutes: number;
  readonly workers: number;
  readonly commit: string;
  readonly machine: string;
  readonly rows: readonly (readonly [name: string, figure: string | number])[];
  readonly violations: Readonly<Record<string, number>>;
  readonly sometimes: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly evidence: Evidence;
  readonly violations: readonly Violation[];
  readonly sometimes: readonly Sometimes[];
  readonly limits: LimitCheck;
  readonly cancels: CancelCheck;
  readonly timers: TimerCheck;
  readonly faultsMs: number;
  readonly healMs: number;
  readonly looks: number;
  readonly followed: number;
  readonly baselinePerSecond: number;
}

export const machine = (): string => `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`;

export function countViolations(violations: readonly Violation[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.keys(invariants).map((id) => [id, violations.filter(({ invariant }) => invariant === id).length]),
  );
}

export function rowsOf(measured: Measured): Figures["rows"] {
  const { evidence, limits, cancels, timers, faultsMs, healMs } = measured;
  const attempts = [...evidence.runs.values()].flatMap((run) => attemptsOf(run));
  const again = repeatedExecutions(evidence, attempts);
  const perSecond = throughput(evidence, faultsMs);
  return [
    ["runs", evidence.runs.size],
    ["runs completed / failed / canceled", statusCounts(evidence)],
    ["steps that ended", countSteps(evidence)],
    ["attempts", attempts.length],
    ["faults", evidence.faults.length],
    ...faultKinds.map((kind): readonly [string, number] => [
      `faults: ${faultNames[kind]} (${kind})`,
      evidence.faults.filter((fault) => fault.kind === kind).length,
    ]),
    ["executions beyond the first of a task, without planned retries", `${again} (${share(again, attempts.length)})`],
    ["code beyond a cap, of attempts that had lost their lease", limits.zombieOverlaps],
    ...recoveryRows(evidence, attempts),
    ["cancel to stopped code, no fault near (p50 / p99 / max)", percentiles(cancels.calmLatenciesMs)],
    ["cancel to stopped code, all (p50 / p99 / max)", percentiles(cancels.latenciesMs)],
    [
      "timers checked; earliest before its time",
      `${timers.checked}; ${timers.earliestMs > 0 ? `${timers.earliestMs.toFixed(1)} ms` : "none"}`,
    ],
    ["event streams followed", measured.followed],
    ["looks at the tables under way", measured.looks],
    [
      "runs that had not ended after the heal",
      [...evidence.runs.values()].filter(({ run }) => run.finished_at === null).length,
    ],
    ["last run ended after the heal by", `${(healMs / 1_000).toFixed(1)} s`],
    [
      "attempts per second under faults / without",
      `${perSecond.toFixed(1)} / ${measured.baselinePerSecond.toFixed(1)}`,
    ],
    ["largest memory of a worker", `${(largestRss(evidence.lines) / 2 ** 20).toFixed(0)} MiB`],
  ];
}

function statusCounts({ runs }: Evidence): string {
  const count = (status: string): number => [...runs.values()].filter(({ run }) => run.status === status).length;
  return [count("completed"), count("failed"), count("canceled")].join(" / ");
}

const countSteps = ({ runs }: Evidence): number =>
  [...runs.values()].flatMap(({ steps }) => steps.filter(({ task_index: task }) => task === -1)).length;

/** Code that ran although an attempt of its task before it had not failed: what "at least once" costs. */
function repeatedExecutions(evidence: Evidence, attempts: readonly AttemptRecord[]): number {
  const begun = new Map<string, boolean>();
  let again = 0;
  for (const { run, step, task, key, end } of attempts) {
    const name = `${run}/${step}/${task}`;
    const hasBegun = evidence.begins.has(key);
    if (hasBegun && begun.get(name) === true) again += 1;
    if (hasBegun) begun.set(name, end !== "failed");
  }
  return again;
}

const share = (part: number, whole: number): string =>
  `${((100 * part) / Math.max(1, whole)).toFixed(2)} % of attempts`;

/** Begins of code while the faults raged, over the time. */
function throughput({ lines, faults }: Evidence, faultsMs: number): number {
  const from = Math.min(...faults.map(({ begunAt }) => begunAt));
  const count = lines.filter(({ type, mono }) => type === "begin" && mono >= from && mono <= from + faultsMs).length;
  return Number.isFinite(from) ? (1_000 * count) / faultsMs : 0;
}

const largestRss = (lines: readonly OracleLine[]): number =>
  lines.reduce((most, line) => (line.type === "memory" ? Math.max(most, line.rssBytes) : most), 0);

function percentiles(sorted: readonly number[]): string {
  if (sorted.length === 0) return "none";
  const at = (part: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!.toFixed(0);
  return `${at(0.5)} / ${at(0.99)} / ${sorted.at(-1)!.toFixed(0)} ms of ${sorted.length}`;
}

/** How long after its cause was gone a fault was felt. */
function recoveryRows(evidence: Evidence, attempts: readonly AttemptRecord[]): Figures["rows"] {
  const answers = evidence.lines.filter(({ type }) => type === "commit" || type === "claim" || type === "well");
  const byWorker = new Map<string, number[]>([["everybody", answers.map(({ mono }) => mono)]]);
  for (const { worker, mono } of answers) {
    const name = worker.split(".")[0]!;
    if (!byWorker.has(name)) byWorker.set(name, []);
    byWorker.get(name)!.push(mono);
  }
  for (const monos of byWorker.values()) monos.sort((a, b) => a - b);
  const firstAfter = (worker: string, mono: number): number | null => {
    const found = (byWorker.get(worker) ?? []).find((each) => each > mono);
    return found === undefined ? null : found - mono;
  };
  const lookedAt: readonly FaultKind[] = ["F1", "F2", "F4", "F5", "F7", "F8", "F21"];
  const rows = lookedAt.map((kind): readonly [string, string] => {
    const times = evidence.faults
      .filter((fault) => fault.kind === kind)
      .flatMap(({ target, endedAt }) => firstAfter(byWorker.has(target) ? target : "everybody", endedAt) ?? []);
    return [
      `${kind}: its end to the next answer of the store (p50 / p99 / max)`,
      percentiles(times.toSorted((a, b) => a - b)),
    ];
  });
  return [
    ...rows,
    ["code of a lost attempt to code of the next (p50 / p99 / max)", percentiles(takeovers(evidence, attempts))],
  ];
}

/** From the begin of the code of an attempt that was lost to that of the one that took its place. */
function takeovers(evidence: Evidence, attempts: readonly AttemptRecord[]): readonly number[] {
  const open = new Map<string, number>();
  const times: number[] = [];
  for (const { run, step, task, key, end } of attempts) {
    const name = `${run}/${step}/${task}`;
    const begun = evidence.begins.get(key)?.[0]?.mono;
    const before = open.get(name);
    if (begun !== undefined && before !== undefined) times.push(begun - before);
    open.delete(name);
    if (end === "lost" && begun !== undefined) open.set(name, begun);
  }
  return times.toSorted((a, b) => a - b);
}
