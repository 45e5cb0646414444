import type { JsonObject, RunStatus, TraceEvent } from "@braid/core";
import type { ClaimAnswer, ClaimRequest, HeartbeatAnswer, HeartbeatRequest, SweepAnswer } from "./claims.ts";
import type {
  CreateAnswer,
  LoadedRun,
  LogFilter,
  LogLine,
  NewRunRequest,
  NewSignal,
  Payload,
  PayloadRequest,
  RunFilter,
  RunSummaryRow,
  StoredSignal,
  StoredWorkflow,
  WorkerRecord,
  WorkflowRecord,
} from "./records.ts";
import type { CommitAnswers, RunCommit } from "./run-commit.ts";

/**
 * What the runtime asks of a store. One contract suite (`store/contract.ts`) holds every implementation to it.
 *
 * The port is asynchronous and batch-shaped, so that an implementation may answer each call with one round trip and one
 * statement. All instants are milliseconds since 1970 by the store's own clock; every answer carries the store's `now`.
 *
 * Guarantees every store gives:
 * - A commit of one run is all or nothing, and is accepted only if the run still has the version the changes were
 *   computed from and every fence still holds. Runs of one call are independent of each other.
 * - Repeating the latest commit of a run (the same `commitId`) changes nothing and gives the first answer. Repeating an older
 *   one is a `repeat` too, without its cancels, where the store still knows it; else a `conflict`, and the reports in it are
 *   `fenced` when they are computed again.
 * - A row is claimed by at most one worker at a time. Revoking a lease (sweep) raises the run's version.
 * - What `commit` has accepted is durable before it answers (memory: as long as the process lives).
 */
export interface Store {
  /** A short name for messages: `memory`, `sqlite:<path>`, …. */
  readonly url: string;

  open(): Promise<void>;
  close(): Promise<void>;

  /** Stores a plan under its workflow name; the same hash gives the same version again. */
  putWorkflow(workflow: WorkflowRecord): Promise<{ readonly version: number }>;
  /** Newest version unless one is named; null where there is none. */
  getWorkflow(name: string, version?: number): Promise<StoredWorkflow | null>;

  /**
   * Inserts runs with the rows of their first transitions (`commit.expectedVersion` is 0), in one durable write; answers in
   * the order asked. A second run with the same workflow and idempotency key is not created: the answer names the first.
   */
  createRuns(
    requests: readonly NewRunRequest[],
  ): Promise<{ readonly now: number; readonly answers: readonly CreateAnswer[] }>;

  /**
   * How many calls of `commit` it is worth to have under way at a time: 1 where they are carried out in this process, one after the
   * other; 2 where a server works on one while the next is made.
   */
  readonly mostCommits: number;
  /** Commits each run independently, in one durable write. Answers in the order asked. */
  commit(commits: readonly RunCommit[]): Promise<CommitAnswers>;

  /**
   * Locks runs against all other writers, until the commit or release: for runs that others write as often as the caller, whose
   * commits would be refused again and again. A store whose callers all write by turns has no need of it.
   */
  lock?(requests: readonly LockRequest[]): Promise<LockedRuns>;

  /** The whole control state (no payloads) from one snapshot; null for an unknown id. */
  load(runId: string): Promise<LoadedRun | null>;
  /** As `load`, but only step rows changed after `version`; rows reset since then are included. It need not tell the leases. */
  loadNewer(runId: string, version: number): Promise<LoadedRun | null>;
  /** Status and version alone, for whoever waits for a run; null for an unknown id. */
  peek(runId: string): Promise<{ readonly status: RunStatus; readonly version: number } | null>;
  /** Payload columns, in the order asked; null where a row or run does not exist. */
  readPayloads(requests: readonly PayloadRequest[]): Promise<readonly (Payload | null)[]>;

  /**
   * Takes queued tasks in order of run priority, then `queuedAt`. Only handlers the worker has.
   *
   * A task with `limits` or `resources` is *parked*: it is taken only if each of its limits has room and the worker has the
   * resources free, and one that is held back never holds back one behind it. Taking it uses up a place of each limit, which is
   * free again when its attempt is closed, withdrawn or swept. All checks of one limit are made one after the other, whichever
   * worker asks; tasks without limits never wait for them.
   */
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /** Renews leases; a lease that is gone, or whose attempt was asked to stop, is said so. */
  heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer>;
  /**
   * Runs whose `wakeAt` or follow-up has come, or that hold signals to deliver, longest due first. A run stays due until a
   * commit moves its instant on. A signal makes its run due at once, and again after `followUpAfterMs`, twice that and so on while
   * it is unused: nobody may be waiting for it yet, and who was told of it may have died. Signals of terminal runs never do.
   */
  dueRuns(
    limit: number,
  ): Promise<{ readonly now: number; readonly runIds: readonly string[]; readonly nextWakeAt: number | null }>;
  /**
   * Revokes leases that have ended (or whose worker on this host is dead: `deadWorkers`) and raises the versions of their
   * runs. The caller applies `task.lost` for each. An attempt that no commit has closed or queued anew `followUpAfterMs` after
   * it was reported is reported again.
   */
  sweep(request: { readonly limit: number; readonly deadWorkers?: readonly string[] }): Promise<SweepAnswer>;

  /** Keeps a signal until a step takes it. The same id is kept once. */
  putSignal(signal: NewSignal): Promise<void>;
  /** Unused signals of a run in order of acceptance. A commit uses them up (`RunCommit.usedSignals`). */
  listSignals(runId: string): Promise<readonly StoredSignal[]>;

  /** Announces or refreshes a worker, and lists those of a store (for takeover and `runs show`). */
  putWorker(worker: WorkerRecord): Promise<void>;
  removeWorker(worker: string): Promise<void>;
  listWorkers(): Promise<readonly (WorkerRecord & { readonly seenAt: number })[]>;

  /** Newest first. */
  listRuns(filter: RunFilter): Promise<readonly RunSummaryRow[]>;
  /** Trace events of a run with `seq` > `after`, in order. */
  readTrace(runId: string, after: number, limit: number): Promise<readonly TraceEvent[]>;
  appendLogs(lines: readonly LogLine[]): Promise<void>;
  readLogs(filter: LogFilter): Promise<readonly LogLine[]>;

  /** Past durations of a workflow's steps (mean of completed runs), for ranks; step id -> milliseconds. */
  durations(workflow: string): Promise<JsonObject>;
  putRanks(id: string, ranks: readonly number[]): Promise<void>;
  getRanks(id: string): Promise<readonly number[] | null>;

  /**
   * Deletes terminal runs that ended more than `olderThanMs` ago or are not among the newest `keep` (of `workflow`, or of all), each
   * with all its rows and its child runs at once. A child goes only with its parent. Answers the ids deleted; without
   * `olderThanMs` and `keep` there are none.
   */
  prune(policy: {
    readonly olderThanMs?: number;
    readonly keep?: number;
    readonly workflow?: string;
    readonly dryRun?: boolean;
  }): Promise<readonly string[]>;

  /** Calls back when another process may have changed something; only a hint. Returns a function that ends it. */
  onChange(listener: (hint: ChangeHint) => void): () => void;
  /** Whether no hints come at all: then workers with running attempts ask for cancels every 500 ms. */
  readonly isSilent: boolean;
}

/** What may have changed. An absent field says nothing; a hint without any means: everything may have. */
export interface ChangeHint {
  /** Queues that may hold new tasks. */
  readonly queues?: readonly string[];
  /** Running attempts may have been asked to stop. */
  readonly isStopAsked?: boolean;
  /** Runs may be due: a signal has come. */
  readonly isDue?: boolean;
  /** Runs that may have changed; null: any. */
  readonly runIds?: readonly string[] | null;
}

export interface LockRequest {
  readonly runId: string;
  /** The version that the caller knows. */
  readonly version: number;
}

/** Runs that nobody else can write. One of `commit` and `release` ends it. */
export interface LockedRuns {
  /** In the order asked: what is newer than the version known; null: there is no such run. */
  readonly loaded: readonly (LoadedRun | "same" | null)[];
  /** As `Store.commit`. If it rejects, whether it was carried out is unknown, and repeating it by `Store.commit` is harmless. */
  commit(commits: readonly RunCommit[]): Promise<CommitAnswers>;
  release(): Promise<void>;
}
