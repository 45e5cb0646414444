import type { CommitAnswer, CommitAnswers, RunCommit } from "../run-commit.ts";
import { prepareCommit } from "../prepared-commit.ts";
import { fullBatch } from "./full-batch.ts";
import { fullCommit } from "./full-commit.ts";
import { textsOf } from "./link.ts";
import type { CellRow, Parameter, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { isRefusedData, refusalOf } from "./postgres-errors.ts";
import { cancelAnswers } from "./row-operations.ts";
import type { StopRow } from "./row-operations.ts";
import { isRunId } from "./run-id.ts";
import { singleCommit } from "./single-commit.ts";
import { batchStates } from "./statement-parts.ts";
import { usualBatch } from "./usual-batch.ts";
import { usualCommit } from "./usual-commit.ts";

/** Sends one statement: on the connection of commits, or within a transaction that has locked the runs. */
export type Send = (statement: Statement, parameters: readonly Parameter[]) => Promise<readonly CellRow[]>;

export interface CommitStatements {
  readonly single: Statement;
  readonly usual: Statement;
  readonly queueing: Statement;
  readonly full: Statement;
}

export const commitStatements = (names: Names): CommitStatements => {
  return {
    single: singleCommit(names),
    usual: usualCommit(names, false),
    queueing: usualCommit(names, true),
    full: fullCommit(names),
  };
};

/** The answers, and what others should hear of. */
export interface CommitOutcome extends CommitAnswers {
  /** Queues in whose limits places are free again. */
  readonly freedQueues: readonly string[];
}

/**
 * Commits each run on its own, with one statement. Data that cannot be kept is a bug of the caller, and spoils the statement for
 * all, as a run does that is not there; then each run is committed alone, and only that one is refused.
 */
export async function commitRuns(
  send: Send,
  statements: CommitStatements,
  commits: readonly RunCommit[],
): Promise<CommitOutcome> {
  try {
    const outcome = await commitBatch(send, statements, commits);
    if (outcome !== null) return outcome;
    if (commits.length === 1) return refused({ kind: "conflict" }, await readClock(send, statements));
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    if (commits.length === 1) {
      return refused({ kind: "rejected", message: refusalOf(error) }, await readClock(send, statements));
    }
  }
  const outcomes: CommitOutcome[] = [];
  for (const one of commits) outcomes.push(await commitRuns(send, statements, [one]));
  return {
    now: outcomes.at(-1)!.now,
    answers: outcomes.flatMap(({ answers }) => answers),
    freedQueues: outcomes.flatMap(({ freedQueues }) => freedQueues),
  };
}

const refused = (answer: CommitAnswer, now: number): CommitOutcome => ({ now, answers: [answer], freedQueues: [] });

/** An empty batch asks for the time. */
async function readClock(send: Send, statements: CommitStatements): Promise<number> {
  const rows = await send(statements.usual, usualBatch([])!.parameters);
  return rows[0]![0] as number;
}

/** Answers null if one of the runs does not exist: then nothing was written. */
async function commitBatch(
  send: Send,
  statements: CommitStatements,
  commits: readonly RunCommit[],
): Promise<CommitOutcome | null> {
  if (!commits.every(({ runId }) => isRunId(runId))) return null;
  const batch = usualBatch(commits) ?? fullBatch(commits.map(prepareCommit));
  const [row] = await send(statements[batch.kind], batch.parameters);
  const [now, states, bad, stops, freed] = row as readonly [
    number,
    readonly number[] | null,
    readonly number[],
    string | null,
    string,
  ];
  if (states === null) return null;
  const stopRows = stops === null ? [] : (JSON.parse(stops) as readonly (readonly StopRow[] | null)[]);
  const badFences = new Set(bad.map((number) => batch.fences[number - 1]!));
  const answers = commits.map((commit, index): CommitAnswer => {
    const cancels = cancelAnswers(commit, stopRows[index] ?? []);
    switch (states[index]) {
      case batchStates.accepted:
        return { kind: "accepted", version: commit.expectedVersion + 1, cancels };
      case batchStates.repeat:
        return { kind: "repeat", version: commit.expectedVersion + 1, cancels };
      case batchStates.fenced:
        return { kind: "fenced", fences: commit.fences.filter((fence) => badFences.has(fence)) };
      case batchStates.brokenTrace:
        return { kind: "rejected", message: "its trace does not continue that of the run" };
      default:
        return { kind: "conflict" };
    }
  });
  return { now, answers, freedQueues: textsOf(freed) };
}
