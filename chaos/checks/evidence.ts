import type { FaultRecord } from "../faults/fault.ts";
import type { JournalEntry } from "../journal.ts";
import type { AttemptName, BeginLine, ClaimLine, CommitLine, EndLine, OracleLine } from "../oracle/line.ts";
import type { WorkflowSpec } from "../workflows/spec.ts";
import type { RunEvidence, SignalRecord } from "./records.ts";

/** All that the checks at the end look at. */
export interface Evidence {
  readonly runs: ReadonlyMap<string, RunEvidence>;
  readonly specs: ReadonlyMap<string, WorkflowSpec>;
  readonly journal: readonly JournalEntry[];
  readonly faults: readonly FaultRecord[];
  readonly signals: readonly SignalRecord[];
  readonly lines: readonly OracleLine[];
  /** Lines of each attempt, by `attemptKey`. */
  readonly begins: ReadonlyMap<string, readonly BeginLine[]>;
  readonly ends: ReadonlyMap<string, readonly EndLine[]>;
  readonly claims: ReadonlyMap<string, readonly ClaimLine[]>;
  /** When the leases of attempts were taken away, monotonic milliseconds. */
  readonly revoked: ReadonlyMap<string, number>;
  readonly commits: readonly CommitLine[];
}

/** Without a wait for the disk the server writes what it was told within less. */
const forgottenMs = 1_500;

const attemptKey = (step: string, { run, task, attempt }: AttemptName): string => `${run}/${step}/${task}/${attempt}`;

export function gather(parts: Pick<Evidence, "runs" | "specs" | "journal" | "faults" | "signals" | "lines">): Evidence {
  const begins = new Map<string, BeginLine[]>();
  const ends = new Map<string, EndLine[]>();
  const claims = new Map<string, ClaimLine[]>();
  const revoked = new Map<string, number>();
  const commits: CommitLine[] = [];
  const stepOf = (run: string, index: number): string => parts.runs.get(run)?.plan.steps[index]?.id ?? "?";
  for (const line of parts.lines) {
    if (line.type === "begin") add(begins, attemptKey(line.step, line), line);
    else if (line.type === "end") add(ends, attemptKey(line.step, line), line);
    else if (line.type === "commit") commits.push(line);
    else if (line.type === "claim") add(claims, attemptKey(stepOf(line.run, line.stepIndex), line), line);
    else if (line.type === "revoked") revoked.set(attemptKey(stepOf(line.run, line.stepIndex), line), line.mono);
  }
  for (const [key, own] of begins)
    if (own.length > 1) putKeptFirst({ parts, claims, key, begins: own, ends: ends.get(key) ?? [] });
  return { ...parts, begins, ends, claims, revoked, commits };
}

function add<Line>(map: Map<string, Line[]>, key: string, line: Line): void {
  const lines = map.get(key);
  if (lines === undefined) map.set(key, [line]);
  else lines.push(line);
}

/**
 * A claim that the server forgot in a crash is made again, and the code of one attempt runs twice. Its lines that belong to the token
 * that is kept are put first.
 */
function putKeptFirst(attempt: {
  readonly parts: Pick<Evidence, "runs">;
  readonly claims: ReadonlyMap<string, readonly ClaimLine[]>;
  readonly key: string;
  readonly begins: BeginLine[];
  readonly ends: EndLine[];
}): void {
  const { parts, claims, key, begins, ends } = attempt;
  const tokens = new Set(parts.runs.get(begins[0]!.run)?.steps.map(({ lease_token: token }) => token));
  const kept = claims.get(key)?.find(({ token }) => tokens.has(token));
  if (kept === undefined) return;
  const isKept = ({ worker, mono }: BeginLine | EndLine): boolean => worker === kept.worker && mono >= kept.mono;
  const rank = (line: BeginLine | EndLine): number => (isKept(line) ? line.mono : Number.MAX_VALUE);
  begins.sort((a, b) => rank(a) - rank(b));
  ends.sort((a, b) => rank(a) - rank(b));
}

/**
 * Whether a crash of the server may have undone what it had answered at that time: a claim or a sweep, which it need not keep. What
 * is promised is kept by commits alone.
 */
export function mayBeForgotten({ faults }: Evidence, mono: number): boolean {
  return faults.some(({ kind, begunAt, endedAt }) => {
    return (kind === "F4" || kind === "F5") && mono > begunAt - forgottenMs && mono < endedAt;
  });
}

/** Attempts of a run in the order of their starts, with the event that ended each. */
export interface AttemptRecord {
  readonly run: string;
  readonly step: string;
  readonly stepIndex: number;
  readonly task: number;
  readonly attempt: number;
  /** Store's instant of its start, by the trace. */
  readonly startedAt: number;
  readonly end: "completed" | "failed" | "canceled" | "lost" | null;
  readonly key: string;
}

export function attemptsOf({ run, plan, trace }: RunEvidence): readonly AttemptRecord[] {
  const attempts = new Map<string, { -readonly [Key in keyof AttemptRecord]: AttemptRecord[Key] }>();
  for (const { type, step: stepIndex, task, attempt, at } of trace) {
    if (!type.startsWith("task.")) continue;
    const step = plan.steps[stepIndex]!.id;
    const key = attemptKey(step, { run: run.id, task, attempt });
    if (type === "task.started")
      attempts.set(key, { run: run.id, step, stepIndex, task, attempt, startedAt: at, end: null, key });
    else {
      const started = attempts.get(key);
      if (started !== undefined) started.end = type.slice("task.".length) as Exclude<AttemptRecord["end"], null>;
    }
  }
  return [...attempts.values()];
}
