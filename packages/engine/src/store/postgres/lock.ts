import type { LockedRuns, LockRequest } from "../port.ts";
import type { LoadedRun } from "../records.ts";
import type { CommitAnswers, RunCommit } from "../run-commit.ts";
import { arrayOf } from "./link.ts";
import type { HeldLink, Link, Statement } from "./link.ts";
import { loadRunBy } from "./load.ts";
import type { LoadStatements } from "./load.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { isRunId } from "./run-id.ts";

/** Waits for other writers of the runs, in order of their ids like every writer. */
const lockRows = perNames(({ table }): Statement => {
  const text = `select id, version from ${table("runs")} where id = any ($1::uuid[]) order by id for no key update`;
  return { name: "lock_runs", text };
});

/**
 * Sends a commit and the end of its transaction together. Data that the server refuses rolls the transaction back; then the commits
 * that are tried one by one are transactions of their own, without locks.
 */
export function commitAndEnd(held: HeldLink): (...sent: Parameters<HeldLink["rows"]>) => ReturnType<HeldLink["rows"]> {
  let isOpen = true;
  return async (statement, parameters) => {
    const answer = held.rows(statement, parameters);
    if (!isOpen) return answer;
    isOpen = false;
    const [rows] = await Promise.all([answer, held.commit()]);
    return rows;
  };
}

/** Commits within the transaction that holds the locks; answers after its end. */
export type CommitHeld = (held: HeldLink, commits: readonly RunCommit[]) => Promise<CommitAnswers>;

/**
 * Locks runs and reads what others have written since the versions given. The rows are read by statements of their own: one that
 * has waited for a lock still sees the other tables as they were before it waited.
 */
export async function lockRuns(
  link: Link,
  {
    names,
    statements,
    commit,
  }: { readonly names: Names; readonly statements: LoadStatements; readonly commit: CommitHeld },
  requests: readonly LockRequest[],
): Promise<LockedRuns> {
  const held = await link.hold();
  try {
    const begun = held.begin();
    const ids = requests.map(({ runId }) => runId).filter(isRunId);
    const [, rows] = await Promise.all([begun, held.rows(lockRows(names), [arrayOf(ids)])]);
    const versions = new Map(rows.map(([id, version]) => [id as string, version as number]));
    const loaded = await Promise.all(
      requests.map(async ({ runId, version }): Promise<LoadedRun | "same" | null> => {
        if (versions.get(runId) === version) return "same";
        return loadRunBy((statement, parameters) => held.rows(statement, parameters), statements, {
          runId,
          after: version,
        });
      }),
    );
    return {
      loaded,
      commit: (commits) => commit(held, commits).finally(() => held.release()),
      release: () => held.rollBack(),
    };
  } catch (error) {
    await held.rollBack();
    throw error;
  }
}
