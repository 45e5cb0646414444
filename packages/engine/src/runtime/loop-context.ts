import type { LockedRuns } from "../store/port.ts";
import type { CommitAnswer, CommitAnswers, RunCommit } from "../store/run-commit.ts";
import type { Clock } from "./clock.ts";
import type { EngineError } from "./errors.ts";
import type { Report } from "./outbox.ts";
import type { CachedRun } from "./run-cache.ts";
import type { RunWork, WorkPlace } from "./run-work.ts";
import type { Needs } from "./work-context.ts";

/** Runs that nobody else can write until the commit or release. */
export interface LockedBatch extends Pick<LockedRuns, "commit" | "release"> {
  /** In order: whether others have written the run meanwhile; null: it is gone. */
  readonly isNewer: readonly (boolean | null)[];
}

/** What the loop needs of the engine around it. */
export interface LoopContext {
  readonly clock: Clock;
  readonly newCommitId: () => string;
  /** Batches that may be under way at a time. */
  readonly mostBatches: number;
  /** The run at `version` or newer if it is in memory, so that most batches wait for nothing. */
  peekRun(runId: string, version: number): CachedRun | null;
  /** The run at `version` or newer; null if there is none. */
  loadRun(runId: string, version: number): Promise<CachedRun | null>;
  newWork(run: CachedRun, reports: readonly Report[], place: WorkPlace): RunWork;
  /** Gets what works need, for all of them with as few calls as can be. */
  provide(needs: readonly (readonly [RunWork, Needs])[]): Promise<void>;
  /** The copy in memory, whatever its version. */
  cachedRun(runId: string): CachedRun | undefined;
  readonly hasLocks: boolean;
  /** Locks the runs and brings the copies up to date; null: the store has no locks, or they cannot be had now. */
  lock(runs: readonly CachedRun[]): Promise<LockedBatch | null>;
  /** Commits; repeats until there is an answer, and throws only when there will be none. */
  commit(commits: readonly RunCommit[]): Promise<CommitAnswers>;
  /** The work is part of the run now. */
  onAccepted(work: RunWork, answer: Extract<CommitAnswer, { readonly kind: "accepted" | "repeat" }>): void;
  /** The work had nothing to commit. */
  onIdle(work: RunWork): void;
  /** The run cannot be carried on: an error of this code, not of the run's. */
  onBroken(run: CachedRun, error: unknown): void;
  onFault(fault: EngineError): void;
}
