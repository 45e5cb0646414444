import type { CommitAnswer, CommitAnswers, RunCommit } from "../port.ts";
import { prepareCommit } from "../prepared-commit.ts";
import type { PreparedCommit } from "../prepared-commit.ts";
import { NotStorable } from "../storable.ts";
import { makeBatch } from "./batch.ts";
import { fullCommit } from "./full-commit.ts";
import { textsOf } from "./link.ts";
import type { CellRow, Parameter, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { isRefusedData } from "./postgres-errors.ts";
import { cancelAnswers } from "./row-operations.ts";
import type { StopRow } from "./row-operations.ts";
import { isRunId } from "./run-id.ts";
import { batchStates } from "./statement-parts.ts";
import { usualCommit } from "./usual-commit.ts";

/** Sends one statement: on the connection of commits, or within a transaction that has locked the runs. */
export type Send = (statement: Statement, parameters: readonly Parameter[]) => Promise<readonly CellRow[]>;

export interface CommitStatements {
  readonly usual: Statement;
  readonly full: Statement;
}

export const commitStatements = (names: Names): CommitStatements => {
  return { usual: usualCommit(names), full: fullCommit(names) };
};

/** The answers, and what others should hear of. */
export interface CommitOutcome extends CommitAnswers {
  /** Queues in whose limits places are free again. */
  readonly freedQueues: readonly string[];
}

/**
 * Commits each run on its own, with one statement. Data that the server refuses is a bug of the caller, and spoils the
 * statement for all; then each run is committed alone, and only that one is rejected.
 */
export async function commitRuns(
  send: Send,
  statements: CommitStatements,
  commits: readonly RunCommit[],
): Promise<CommitOutcome> {
  const answers: (CommitAnswer | undefined)[] = commits.map(() => undefined);
  const sound: { readonly index: number; readonly prepared: PreparedCommit }[] = [];
  for (const [index, commit] of commits.entries()) {
    const prepared = isRunId(commit.runId) ? prepare(commit) : ({ kind: "conflict" } as const);
    if ("kind" in prepared) answers[index] = prepared;
    else sound.push({ index, prepared });
  }
  const outcome = await commitPrepared(
    send,
    statements,
    sound.map(({ prepared }) => prepared),
  );
  for (const [place, { index }] of sound.entries()) answers[index] = outcome.answers[place]!;
  return { ...outcome, answers: answers as CommitAnswer[] };
}

function prepare(commit: RunCommit): PreparedCommit | CommitAnswer {
  try {
    return prepareCommit(commit);
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    return { kind: "rejected", message: error.message };
  }
}

async function commitPrepared(
  send: Send,
  statements: CommitStatements,
  prepared: readonly PreparedCommit[],
): Promise<CommitOutcome> {
  let isTooMany = false;
  try {
    const outcome = await commitBatch(send, statements, prepared);
    if (outcome !== null) return outcome;
    isTooMany = prepared.length > 1;
  } catch (error) {
    if (!(error instanceof NotStorable) && !isRefusedData(error)) throw error;
    if (prepared.length === 1) return rejected(error as Error, await clock(send, statements));
    isTooMany = true;
  }
  if (!isTooMany) return { now: await clock(send, statements), answers: [{ kind: "conflict" }], freedQueues: [] };
  const outcomes: CommitOutcome[] = [];
  for (const one of prepared) outcomes.push(await commitPrepared(send, statements, [one]));
  return {
    now: outcomes.at(-1)!.now,
    answers: outcomes.flatMap(({ answers }) => answers),
    freedQueues: outcomes.flatMap(({ freedQueues }) => freedQueues),
  };
}

const rejected = (error: Error, now: number): CommitOutcome => {
  const cause = error.cause instanceof Error ? error.cause : error;
  return { now, answers: [{ kind: "rejected", message: cause.message }], freedQueues: [] };
};

/** An empty batch asks for the time. */
async function clock(send: Send, statements: CommitStatements): Promise<number> {
  const rows = await send(statements.usual, makeBatch([]).parameters);
  return rows[0]![0] as number;
}

/** Answers null if one of the runs does not exist: then nothing was written. */
async function commitBatch(
  send: Send,
  statements: CommitStatements,
  prepared: readonly PreparedCommit[],
): Promise<CommitOutcome | null> {
  const batch = makeBatch(prepared);
  const [row] = await send(batch.isUsual ? statements.usual : statements.full, batch.parameters);
  const [now, states, lastVersions, bad, stops, freed] = row as readonly [
    number,
    readonly number[] | null,
    readonly number[],
    readonly number[],
    string | null,
    string,
  ];
  if (states === null) return null;
  const stopRows = stops === null ? [] : (JSON.parse(stops) as readonly (readonly StopRow[] | null)[]);
  const badFences = new Set(bad.map((number) => batch.fences[number - 1]!));
  const answers = prepared.map(({ commit }, index): CommitAnswer => {
    const cancels = cancelAnswers(commit, stopRows[index] ?? []);
    switch (states[index]) {
      case batchStates.accepted:
        return { kind: "accepted", version: commit.expectedVersion + 1, cancels };
      case batchStates.repeat:
        return { kind: "repeat", version: lastVersions[index]!, cancels };
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
