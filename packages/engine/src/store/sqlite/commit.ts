import type { CommitAnswers, RunCommit } from "../run-commit.ts";
import { prepareCommit } from "../prepared-commit.ts";
import { applyCommit } from "./apply-commit.ts";
import type { Connection } from "./connection.ts";
import { inOneWrite } from "./one-write.ts";

/** Commits each run on its own, all with one fsync. */
export async function commitRuns(
  connection: Connection,
  commits: readonly RunCommit[],
  now: () => number,
): Promise<CommitAnswers> {
  return inOneWrite(connection, {
    requests: commits,
    prepare: prepareCommit,
    apply: (prepared, at) => applyCommit(connection, prepared, at),
    now,
  });
}
