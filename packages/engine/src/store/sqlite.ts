import { resolve } from "node:path";
import type { JsonObject, TraceEvent } from "@braid/core";
import type { ClaimAnswer, ClaimRequest, HeartbeatAnswer, HeartbeatRequest, SweepAnswer } from "./claims.ts";
import type { ChangeHint, Store } from "./port.ts";
import type {
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
import { claim } from "./sqlite/claim.ts";
import { commitRuns } from "./sqlite/commit.ts";
import type { Connection } from "./sqlite/connection.ts";
import { createRuns } from "./sqlite/create-runs.ts";
import { dueRuns, listSignals, putSignal } from "./sqlite/due.ts";
import { appendLogs, readLogs, readTrace } from "./sqlite/journal.ts";
import { heartbeat, sweep } from "./sqlite/leases.ts";
import { listRuns, loadRun, peekRun, readPayload } from "./sqlite/load.ts";
import { openDatabase } from "./sqlite/open-database.ts";
import { prune } from "./sqlite/prune.ts";
import { ChangeWatch } from "./sqlite/watch.ts";
import { listWorkers, putWorker, removeWorker } from "./sqlite/workers.ts";
import { durations, getRanks, getWorkflow, putRanks, putWorkflow } from "./sqlite/workflows.ts";
import { StoreError } from "./store-error.ts";

/** Settings of the embedded store. */
export interface SqliteStoreOptions {
  /** The database file; made with its first use. */
  readonly path: string;
  /** Milliseconds since 1970. Default: the clock of this machine, which all processes on the file share. */
  readonly now?: () => number;
  /** How long a call waits for other processes to let go of the file before it fails with `store_busy`. Default 10,000 ms. */
  readonly patienceMs?: number;
}

/**
 * The embedded store: one SQLite file, which any number of processes of one machine may use at the same time. A commit is
 * one transaction and one fsync, however many runs it holds.
 */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  return new SqliteStore(options);
}

class SqliteStore implements Store {
  readonly url: string;
  readonly mostCommits = 1;
  readonly isSilent = false;
  readonly #path: string;
  readonly #clock: () => number;
  readonly #patienceMs: number;
  #opening: Promise<void> | null = null;
  #connection: Connection | null = null;
  #watch: ChangeWatch | null = null;
  #latest = 0;

  constructor({ path, now, patienceMs }: SqliteStoreOptions) {
    this.#path = resolve(path);
    this.url = `sqlite:${this.#path}`;
    this.#clock = now ?? Date.now;
    this.#patienceMs = patienceMs ?? 10_000;
  }

  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    try {
      this.#connection = await openDatabase(this.#path, this.#patienceMs);
      this.#watch = new ChangeWatch(this.#connection);
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#watch?.close();
    this.#connection = null;
    this.#watch = null;
    this.#opening = null;
    await connection?.close();
  }

  /** The clock may be set back while the process runs; the store's time never goes back. */
  readonly #now = (): number => {
    this.#latest = Math.max(this.#latest, Math.floor(this.#clock()));
    return this.#latest;
  };

  get #file(): Connection {
    if (this.#connection !== null) return this.#connection;
    throw new StoreError("store_closed", `The store \`${this.#path}\` is not open.`);
  }

  /** One query, or several on one snapshot. */
  async #read<Value>(body: (file: Connection) => Value): Promise<Value> {
    const file = this.#file;
    return file.read(() => body(file));
  }

  async putWorkflow(workflow: WorkflowRecord): Promise<{ readonly version: number }> {
    return putWorkflow(this.#file, workflow, this.#now);
  }

  getWorkflow(name: string, version?: number): Promise<StoredWorkflow | null> {
    return this.#read((file) => getWorkflow(file, name, version));
  }

  async createRuns(requests: readonly NewRunRequest[]): ReturnType<Store["createRuns"]> {
    return createRuns(this.#file, requests, this.#now);
  }

  async commit(commits: readonly RunCommit[]): Promise<CommitAnswers> {
    return commitRuns(this.#file, commits, this.#now);
  }

  load(runId: string): Promise<LoadedRun | null> {
    return this.#read((file) => loadRun(file, { runId, after: 0 }, this.#now()));
  }

  loadNewer(runId: string, version: number): Promise<LoadedRun | null> {
    return this.#read((file) => loadRun(file, { runId, after: version }, this.#now()));
  }

  peek(runId: string): ReturnType<Store["peek"]> {
    return this.#read((file) => peekRun(file, runId));
  }

  readPayloads(requests: readonly PayloadRequest[]): Promise<readonly (Payload | null)[]> {
    return this.#read((file) => requests.map((request) => readPayload(file, request)));
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return claim(this.#file, request, this.#now);
  }

  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    return heartbeat(this.#file, request, this.#now);
  }

  async dueRuns(limit: number): ReturnType<Store["dueRuns"]> {
    return dueRuns(this.#file, limit, this.#now);
  }

  async sweep(request: Parameters<Store["sweep"]>[0]): Promise<SweepAnswer> {
    return sweep(this.#file, request, this.#now);
  }

  async putSignal(signal: NewSignal): Promise<void> {
    await putSignal(this.#file, signal, this.#now);
  }

  listSignals(runId: string): Promise<readonly StoredSignal[]> {
    return this.#read((file) => listSignals(file, runId));
  }

  async putWorker(worker: WorkerRecord): Promise<void> {
    await putWorker(this.#file, worker, this.#now);
  }

  async removeWorker(worker: string): Promise<void> {
    await removeWorker(this.#file, worker);
  }

  listWorkers(): ReturnType<Store["listWorkers"]> {
    return this.#read(listWorkers);
  }

  listRuns(filter: RunFilter): Promise<readonly RunSummaryRow[]> {
    return this.#read((file) => listRuns(file, filter));
  }

  readTrace(runId: string, after: number, limit: number): Promise<readonly TraceEvent[]> {
    return this.#read((file) => readTrace(file, runId, { after, limit }));
  }

  async appendLogs(lines: readonly LogLine[]): Promise<void> {
    await appendLogs(this.#file, lines);
  }

  readLogs(filter: LogFilter): Promise<readonly LogLine[]> {
    return this.#read((file) => readLogs(file, filter));
  }

  durations(workflow: string): Promise<JsonObject> {
    return this.#read((file) => durations(file, workflow));
  }

  async putRanks(id: string, ranks: readonly number[]): Promise<void> {
    await putRanks(this.#file, id, ranks);
  }

  getRanks(id: string): Promise<readonly number[] | null> {
    return this.#read((file) => getRanks(file, id));
  }

  async prune(policy: Parameters<Store["prune"]>[0]): Promise<readonly string[]> {
    return prune(this.#file, policy, this.#now);
  }

  onChange(listener: (hint: ChangeHint) => void): () => void {
    if (this.#watch === null) throw new StoreError("store_closed", `The store \`${this.#path}\` is not open.`);
    return this.#watch.add(listener);
  }
}
