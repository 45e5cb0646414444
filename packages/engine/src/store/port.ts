import type {
  JsonObject,
  JsonValue,
  Plan,
  RateLimit,
  RunRow,
  RunStatus,
  StepRow,
  StopCause,
  TraceEvent,
} from "@braid/core";

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

export interface NewRunRequest {
  readonly run: NewRun;
  readonly commit: RunCommit;
}

export interface WorkflowRecord {
  readonly name: string;
  /** SHA-256 of the canonical JSON of the plan. */
  readonly hash: string;
  readonly definition: JsonValue;
  readonly plan: Plan;
}

export interface StoredWorkflow extends WorkflowRecord {
  readonly version: number;
  readonly createdAt: number;
}

export interface NewRun {
  /** UUIDv7, made by the client. */
  readonly id: string;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly input: JsonValue;
  readonly priority: number;
  readonly idempotencyKey: string | null;
  readonly parent: {
    readonly runId: string;
    readonly step: number;
    readonly task: number;
    readonly attempt: number;
  } | null;
  /** Values the worker that owns the run's terminal needs again on resume, such as the directory of the file. */
  readonly meta: JsonObject;
  /** Name of the group of runs of this workflow that it belongs to (`concurrency`), or null. */
  readonly group: string | null;
}

/** `rejected`: the data itself cannot be stored; the message says why. */
export type CreateAnswer =
  | { readonly kind: "created"; readonly version: number }
  | { readonly kind: "exists"; readonly runId: string }
  | { readonly kind: "rejected"; readonly message: string };

/** All that one batch of events changed in one run. */
export interface RunCommit {
  readonly runId: string;
  /** Unique per commit; repeating it is harmless. */
  readonly commitId: string;
  /** `runs.version` the changes were computed from. Accepting raises it by one. */
  readonly expectedVersion: number;
  /**
   * Set where the changes were computed on top of a commit that has not been answered: its `commitId`. Then that one has to be
   * the latest of the run; the version alone could be somebody else's.
   */
  readonly follows?: string;
  /** Leases whose reports this commit accepts; all must still hold. */
  readonly fences: readonly Fence[];
  /** Control columns: the run's row if it changed, and every changed step row, whole. */
  readonly run: RunRow | null;
  readonly steps: readonly StepRow[];
  /** Those of `steps` that the store does not have yet; without it the store finds out. */
  readonly newSteps?: ReadonlySet<StepRow>;
  /** Host columns. Applied after `steps`, in this order: `enqueue`, `closes`, `cancels`. */
  readonly enqueue: readonly Enqueue[];
  /** Attempts the kernel wants stopped; answered. */
  readonly cancels: readonly CancelRequest[];
  /** Attempts that are over: their lease and token are released (the token is kept as the last accepted one). */
  readonly closes: readonly TaskKey[];
  readonly payloads: readonly PayloadWrite[];
  readonly runOutput: { readonly output: JsonValue } | null;
  readonly usedSignals: readonly string[];
  readonly trace: readonly TraceEvent[];
  /**
   * Set where the run still has something to do that no lease, timer or signal stands for: it was created and nobody has
   * started it, a child is to be started, an evaluation to be made. Unless another commit of the run comes first, the run is due
   * (`dueRuns`) after this long. A commit with `cancels` is followed up without asking, after `followUpAfterMs`: whoever was to
   * apply the answers may have died.
   */
  readonly followUpMs?: number;
}

/** How long stores wait for the follow-up of a commit with `cancels`, and for the `task.lost` of a swept lease. */
export const followUpAfterMs = 15_000;

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

export interface TaskKey {
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
}

export interface Fence {
  readonly step: number;
  readonly task: number;
  readonly token: string;
}

export interface Enqueue extends TaskKey {
  readonly queue: string;
  readonly handler: string;
  readonly priority: number;
  /** Limits over all runs and workers, each name once, in order of names. */
  readonly limits: readonly TaskLimit[];
  /** What an attempt takes of the resources of its worker, by name; null: nothing. */
  readonly resources: Resources | null;
  /** Set: inserted as already leased to this worker (eager dispatch). Never with `limits`. */
  readonly lease: { readonly worker: string; readonly token: string; readonly forMs: number } | null;
}

/** Amounts by name, such as `{ cpu: 2 }`. */
export type Resources = Readonly<Record<string, number>>;

/**
 * A limit over runs, as the task that has to pass it declares it. Tasks may declare the same name differently: each is held to its
 * own words.
 */
export interface TaskLimit {
  readonly name: string;
  /** At most this many attempts under that name at a time, this one included; null: any number. */
  readonly max: number | null;
  /** At most this many starts by GCRA; null: any number. */
  readonly rate: RateLimit | null;
}

export interface CancelRequest extends TaskKey {
  readonly cause: StopCause;
  readonly ifQueued: boolean;
}

export interface PayloadWrite {
  readonly step: number;
  readonly task: number;
  /** Absent columns stay as they are; `null` is JSON null, `undefined` means no change, CLEAR empties the column. */
  readonly output?: JsonValue;
  /** Shard of the shared context. */
  readonly patch?: JsonObject;
  /** Items of a map, as evaluated. */
  readonly items?: readonly JsonValue[];
  /** Input of a child run, as evaluated. */
  readonly childInput?: JsonValue;
  /** Latest progress reported by a handler. */
  readonly progress?: JsonValue;
  /** True: output, patch, items, childInput and progress are emptied first (a reset row). */
  readonly clear?: boolean;
}

export interface CommitAnswers {
  readonly now: number;
  readonly answers: readonly CommitAnswer[];
}

/**
 * - `accepted`, and `repeat` (this `commitId` was accepted before): the new version, and for each cancel what the row was.
 * - `conflict`: another commit, a claim's sweep or a cancel came first; reload and compute again.
 * - `fenced`: these leases are gone; drop their reports and compute again without them.
 * - `rejected`: the data itself cannot be stored; the message says why.
 */
export type CommitAnswer =
  | { readonly kind: "accepted" | "repeat"; readonly version: number; readonly cancels: readonly CancelAnswer[] }
  | { readonly kind: "conflict" }
  | { readonly kind: "fenced"; readonly fences: readonly Fence[] }
  | { readonly kind: "rejected"; readonly message: string };

/** `withdrawn`: it was still queued and is not any more; `claimed`: a worker has it; `gone`: neither. */
export interface CancelAnswer extends TaskKey {
  readonly outcome: "withdrawn" | "claimed" | "gone";
  /** Instant of the claim where it was claimed. */
  readonly claimedAt: number | null;
}

export interface LoadedRun {
  readonly now: number;
  readonly id: string;
  readonly version: number;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly priority: number;
  readonly parent: NewRun["parent"];
  readonly meta: JsonObject;
  readonly createdAt: number;
  readonly run: RunRow;
  /** In order of step, then task. */
  readonly steps: readonly StepRow[];
  /** Live leases of the run, for surfaces and takeover. */
  readonly leases: readonly (TaskKey & { readonly worker: string; readonly token: string; readonly until: number })[];
}

export type PayloadRequest =
  | { readonly runId: string; readonly kind: "input" | "output" }
  | { readonly runId: string; readonly kind: "step"; readonly step: number; readonly task: number };

export interface Payload {
  /** Run: its input or output. Step: its output; undefined where none was written. */
  readonly value: JsonValue | undefined;
  readonly patch: JsonObject | null;
  readonly items: readonly JsonValue[] | null;
  readonly childInput: JsonValue | undefined;
  readonly progress: JsonValue | undefined;
}

export interface ClaimRequest {
  readonly worker: string;
  readonly leaseMs: number;
  readonly queues: readonly { readonly queue: string; readonly limit: number }[];
  /** Handlers this worker has; null: any. Names ending in `/` match as prefixes. */
  readonly handlers: readonly string[] | null;
  /** Only tasks of these runs; null: any run (a `braid run` works on its own run and its children). */
  readonly runIds: readonly string[] | null;
  /** What of its resources the worker has free; a name that is absent is not there at all. null: it does not count them. */
  readonly resources: Resources | null;
}

export interface ClaimedTask extends TaskKey {
  readonly runId: string;
  readonly token: string;
  readonly handler: string;
  readonly queue: string;
  readonly claimedAt: number;
  /** Version of the run when it was claimed: an older cache must be reloaded first. */
  readonly version: number;
  readonly stopCause: StopCause | null;
  /** As it was queued; to be given back when the attempt has ended. */
  readonly resources: Resources | null;
}

export interface ClaimAnswer {
  readonly now: number;
  readonly tasks: readonly ClaimedTask[];
  /** When the first rate opens that held back a task which this worker could have taken otherwise; null: none did. */
  readonly nextAt: number | null;
  /** Queues that may hold more tasks for this worker than it had places for; null: those that gave as many as were asked for. */
  readonly fullerQueues: readonly string[] | null;
}

export interface HeartbeatRequest {
  readonly worker: string;
  readonly leaseMs: number;
  readonly leases: readonly {
    readonly runId: string;
    readonly step: number;
    readonly task: number;
    readonly token: string;
    readonly progress?: JsonValue;
  }[];
}

export interface HeartbeatAnswer {
  readonly now: number;
  /** One per lease, in the order asked. */
  readonly leases: readonly (
    | { readonly kind: "renewed"; readonly stopCause: StopCause | null }
    | { readonly kind: "lost" }
  )[];
}

export interface SweepAnswer {
  readonly now: number;
  readonly lost: readonly (TaskKey & { readonly runId: string })[];
}

export interface NewSignal {
  readonly id: string;
  readonly runId: string;
  readonly name: string;
  readonly verdict: "approved" | "rejected" | "signal";
  readonly payload: JsonValue;
}

export interface StoredSignal extends NewSignal {
  readonly acceptedAt: number;
}

export interface WorkerRecord {
  /** Random per process start. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Distinguishes a reused pid: start time of the process, milliseconds since 1970. */
  readonly startedAt: number;
  readonly name: string;
  readonly queues: readonly string[];
  /** All that it has, also what is in use. */
  readonly resources: Resources;
}

export interface RunFilter {
  readonly workflow?: string;
  /** Only with `workflow`: of this group of its runs. */
  readonly group?: string;
  readonly status?: readonly RunStatus[];
  readonly parent?: string;
  readonly limit: number;
  /** Only runs older than this id (UUIDv7 ids order by time). */
  readonly before?: string;
}

export interface RunSummaryRow {
  readonly id: string;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly createdAt: number;
  /**
   * Place in its group, rising with the order in which the runs of the group became visible: whoever sees a run sees all runs of
   * its group with a lower place. null: it is in no group.
   */
  readonly groupPlace: number | null;
  readonly run: RunRow;
}

export interface LogLine {
  readonly runId: string;
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
  readonly at: number;
  readonly stream: "stdout" | "stderr" | "log";
  readonly text: string;
}

export interface LogFilter {
  readonly runId: string;
  readonly step?: number;
  readonly task?: number;
  readonly limit?: number;
  /** Only the last lines instead of the first. */
  readonly tail?: boolean;
}
