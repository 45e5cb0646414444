import type { RunEvidence } from "./records.ts";
import { attemptsOf, mayBeForgotten } from "./evidence.ts";
import type { AttemptRecord, Evidence } from "./evidence.ts";
import { allSteps } from "../workflows/spec.ts";
import type { StepSpec } from "../workflows/spec.ts";
import type { Violation } from "./violation.ts";

/** Lost attempts in a row after which a task is given up. */
const mostLost = 4;

const stepEnds: ReadonlySet<string> = new Set(["step.completed", "step.failed", "step.skipped", "step.canceled"]);
const runEnds: ReadonlySet<string> = new Set(["run.completed", "run.failed", "run.canceled"]);

/** I1, I3, I5 and I9: what the trace of each run, its rows and the oracle say of attempts and their results. */
export function checkResults(evidence: Evidence): readonly Violation[] {
  const found: Violation[] = [];
  for (const run of evidence.runs.values()) {
    found.push(...checkTrace(run), ...checkCounts(evidence, run));
    for (const attempt of attemptsOf(run)) found.push(...checkAttempt(evidence, run, attempt));
  }
  return found;
}

function checkTrace({ run, plan, trace, traceProblems }: RunEvidence): readonly Violation[] {
  const found: Violation[] = traceProblems.map((text) => ({ invariant: "I15", run: run.id, text }));
  const seen = new Set<string>();
  const ended = new Set<number>();
  let isOver = false;
  for (const { seq, type, step, task, attempt } of trace) {
    const complain = (invariant: string, text: string): void => {
      found.push({
        invariant,
        run: run.id,
        text: `event ${seq}, ${type} of ${plan.steps[step]?.id ?? "the run"}: ${text}`,
      });
    };
    if (isOver) complain("I5", "the run had ended");
    if (step >= 0 && ended.has(step)) complain("I5", "the step had ended");
    if (stepEnds.has(type)) ended.add(step);
    if (runEnds.has(type)) isOver = true;
    const once: Readonly<Record<string, readonly [invariant: string, what: string]>> = {
      "task.completed": ["I1", `result ${step}/${task}`],
      "task.started": ["I3", `start ${step}/${task}/${attempt}`],
      "step.ready": ["I3", `release ${step}`],
      "step.started": ["I3", `step start ${step}`],
    };
    const [invariant, what] = once[type] ?? [];
    if (invariant === undefined || what === undefined) continue;
    if (seen.has(what)) complain(invariant, "it came twice");
    seen.add(what);
  }
  if (run.finished_at !== null && !isOver) found.push({ invariant: "I5", run: run.id, text: "its trace has no end" });
  return found;
}

function checkAttempt(evidence: Evidence, { run, steps }: RunEvidence, attempt: AttemptRecord): readonly Violation[] {
  const { key, step, stepIndex, task, end } = attempt;
  const found: Violation[] = [];
  const complain = (text: string): void => {
    found.push({ invariant: "I1", run: run.id, text: `${step}[${task}] attempt ${attempt.attempt}: ${text}` });
  };
  const begins = evidence.begins.get(key) ?? [];
  const claims = evidence.claims.get(key) ?? [];
  const forgotten = claims.filter(({ mono }) => mayBeForgotten(evidence, mono)).length;
  if (begins.length > 1 + forgotten) complain(`its code began ${begins.length} times`);
  if (run.finished_at !== null && end === null) complain("it has no end");
  const revokedAt = evidence.revoked.get(key);
  const isRevoked = revokedAt !== undefined && !mayBeForgotten(evidence, revokedAt);
  if (isRevoked && (end === "completed" || end === "failed"))
    complain(`it has ${end} although its lease had been taken away`);
  if (end !== "completed") return found;
  const row = steps.find(
    (each) => each.step_index === stepIndex && Math.max(0, each.task_index) === task && isTask(each, steps),
  );
  const ok = (evidence.ends.get(key) ?? []).filter(({ how }) => how === "ok");
  const nonce = (row?.output as { readonly nonce?: string } | null | undefined)?.nonce;
  if (ok.length === 0 || ok.length > 1 + forgotten)
    complain(`its result was accepted, and its code ended well ${ok.length} times`);
  else if (ok[0]!.nonce !== nonce) complain(`its output holds ${nonce}, its code gave ${ok[0]!.nonce}`);
  const tokens = claims.map(({ token }) => token);
  if (tokens.length > 0 && !tokens.includes(row?.lease_token ?? ""))
    complain("another token than its own is kept with the result");
  return found;
}

/** Of a map only the rows of items are tasks. */
const isTask = (row: RunEvidence["steps"][number], rows: RunEvidence["steps"]): boolean =>
  row.task_index >= 0 || !rows.some((other) => other.step_index === row.step_index && other.task_index >= 0);

function checkCounts(evidence: Evidence, record: RunEvidence): readonly Violation[] {
  const spec = evidence.specs.get(record.run.workflow);
  if (spec === undefined) return [];
  const byTask = new Map<string, AttemptRecord[]>();
  for (const attempt of attemptsOf(record)) {
    const name = `${attempt.step}[${attempt.task}]`;
    byTask.set(name, [...(byTask.get(name) ?? []), attempt]);
  }
  const specs = new Map(allSteps(spec).map((step) => [step.id, step]));
  return [...byTask].flatMap(([name, attempts]) => {
    const text = excessOf(attempts, specs.get(attempts[0]!.step)!);
    return text === null ? [] : [{ invariant: "I9", run: record.run.id, text: `${name}: ${text}` }];
  });
}

function excessOf(attempts: readonly AttemptRecord[], { action }: StepSpec): string | null {
  const most = action.kind === "task" ? action.maxAttempts : 1;
  const used = attempts.filter(({ end }) => end === "completed" || end === "failed").length;
  if (used > most) return `${used} attempts were used, ${most} are allowed`;
  let inARow = 0;
  for (const { end } of attempts) {
    inARow = end === "lost" ? inARow + 1 : end === "canceled" ? inARow : 0;
    if (inARow > mostLost) return `${inARow} attempts in a row were lost`;
  }
  return null;
}
