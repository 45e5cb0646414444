import { createHash, randomUUID } from "node:crypto";
import type { JsonObject, TraceEvent } from "@braid/core";
import type { ClaimAnswer, ClaimRequest, HeartbeatAnswer, HeartbeatRequest, SweepAnswer } from "./claims.ts";
import type { ChangeHint, LockedRuns, LockRequest, Store } from "./port.ts";
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
import { ChangeListener } from "./postgres/change-listener.ts";
import { Claims } from "./postgres/claim.ts";
import { commitRuns, commitStatements } from "./postgres/commit.ts";
import type { CommitStatements, Send } from "./postgres/commit.ts";
import { createRuns, createStatements } from "./postgres/create.ts";
import type { CreateStatements } from "./postgres/create.ts";
import { dueRuns, listSignals, putSignal } from "./postgres/due.ts";
import { appendLogs, readLogs, readTrace } from "./postgres/journal.ts";
import { heartbeat, leaseStatements, sweep } from "./postgres/leases.ts";
import type { LeaseStatements } from "./postgres/leases.ts";
import { Link } from "./postgres/link.ts";
import type { HeldLink } from "./postgres/link.ts";
import { listRuns, loadRun, loadStatements, peekRun, readPayloads } from "./postgres/load.ts";
import type { LoadStatements } from "./postgres/load.ts";
import { commitAndEnd, lockRuns } from "./postgres/lock.ts";
import { migrate } from "./postgres/migrate.ts";
import { namesOf } from "./postgres/names.ts";
import type { Names } from "./postgres/names.ts";
import { Notifier } from "./postgres/notifier.ts";
import { prune } from "./postgres/prune.ts";
import { readPostgresUrl } from "./postgres/url.ts";
import type { PostgresSettings } from "./postgres/url.ts";
import { listWorkers, putWorker, removeWorker } from "./postgres/workers.ts";
import { durations, getRanks, getWorkflow, putRanks, putWorkflow } from "./postgres/workflows.ts";

/** Settings of a store on PostgreSQL. */
export interface PostgresStoreOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the options of `readPostgresUrl`. */
  readonly url: string;
  /** How long the server may take for an answer before the connection is given up. Default 10,000 ms. */
  readonly deadlineMs?: number;
  /** The database's clock in milliseconds since 1970 as an SQL expression, for tests. */
  readonly clock?: string;
  /** Whether a schema that is older than this build, or not there, is migrated when the store is opened. Default true. */
  readonly migrates?: boolean;
}

/**
 * The store for many workers: any number of processes on any number of machines.
 *
 * It holds up to three connections: one for what has to be durable before it is answered, one for everything else, and one that
 * hears notifications while somebody listens. Each is made when it is first needed.
 */
export function createPostgresStore(options: PostgresStoreOptions): Store {
  return new PostgresStore(options);
}

class PostgresStore implements Store {
  readonly url: string;
  readonly mostCommits = 2;
  readonly #settings: PostgresSettings;
  readonly #names: Names;
  readonly #statements: CommitStatements & CreateStatements & LeaseStatements & LoadStatements;
  readonly #migrates: boolean;
  readonly #deadlineMs: number;
  readonly #channel: string;
  /** This process among those that notify each other. */
  readonly #self = randomUUID();
  #main: Link;
  #side: Link;
  #claims: Claims;
  #notifier: Notifier;
  #listener: ChangeListener | null = null;
  #opening: Promise<void> | null = null;

  constructor({ url, deadlineMs = 10_000, clock, migrates = true }: PostgresStoreOptions) {
    this.#settings = readPostgresUrl(url);
    this.url = this.#settings.display;
    this.#names = namesOf(this.#settings.schema, clock);
    this.#statements = {
      ...commitStatements(this.#names),
      ...createStatements(this.#names),
      ...leaseStatements(this.#names),
      ...loadStatements(this.#names),
    };
    this.#deadlineMs = deadlineMs;
    this.#migrates = migrates;
    this.#channel = channelOf(this.#settings.schema);
    [this.#main, this.#side] = [this.#newLink(false), this.#newLink(true)];
    this.#claims = new Claims(this.#side, this.#names);
    this.#notifier = this.#newNotifier();
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    if (this.#side.isClosed) {
      [this.#main, this.#side] = [this.#newLink(false), this.#newLink(true)];
      this.#claims = new Claims(this.#side, this.#names);
      this.#notifier = this.#newNotifier();
    }
    await migrate(this.#side, this.#names, { apply: this.#migrates });
    this.#listener = this.#newListener();
  }

  async close(): Promise<void> {
    this.#opening = null;
    this.#listener?.close();
    this.#listener = null;
    await this.#notifier.flush();
    await Promise.all([this.#main.close(), this.#side.close()]);
  }

  #newLink(isRelaxed: boolean): Link {
    const { address, isPooled, display } = this.#settings;
    return new Link({ address, isPooled, display, deadlineMs: this.#deadlineMs, isRelaxed });
  }

  #newNotifier(): Notifier {
    return new Notifier({ link: this.#side, channel: this.#channel, self: this.#self });
  }

  /** null where notifications are not wanted, or would not get through a pooler. */
  #newListener(): ChangeListener | null {
    const { listen, address } = this.#settings;
    if (listen === "off" || (listen === "same" && this.#side.isPooled)) return null;
    return new ChangeListener({
      address: listen === "same" ? address : listen,
      channel: this.#channel,
      self: this.#self,
    });
  }

  putWorkflow(workflow: WorkflowRecord): Promise<{ readonly version: number }> {
    return putWorkflow(this.#main, this.#names, workflow);
  }

  getWorkflow(name: string, version?: number): Promise<StoredWorkflow | null> {
    return getWorkflow(this.#side, this.#names, { name, version });
  }

  async createRuns(requests: readonly NewRunRequest[]): ReturnType<Store["createRuns"]> {
    const created = await createRuns(this.#main, this.#statements, requests);
    for (const [index, { run, commit }] of requests.entries()) {
      if (created.answers[index]!.kind === "created") this.#tell(run.id, commit);
    }
    return created;
  }

  commit(commits: readonly RunCommit[]): Promise<CommitAnswers> {
    return this.#commitBy((statement, parameters) => this.#main.rows(statement, parameters), commits);
  }

  async #commitBy(send: Send, commits: readonly RunCommit[]): Promise<CommitAnswers> {
    const { now, answers, freedQueues } = await commitRuns(send, this.#statements, commits);
    for (const [index, answer] of answers.entries()) {
      if (answer.kind !== "accepted") continue;
      const commit = commits[index]!;
      this.#tell(commit.runId, commit);
      const isStopped = answer.cancels.some(
        ({ outcome }, place) => outcome === "claimed" && !commit.cancels[place]!.ifQueued,
      );
      if (isStopped) this.#notifier.stop();
    }
    for (const queue of freedQueues) this.#notifier.queue(queue);
    return { now, answers };
  }

  /** Others hear of tasks that this process does not run itself, and, less urgently, that the run has changed. */
  #tell(runId: string, { enqueue }: RunCommit): void {
    for (const { lease, queue } of enqueue) if (lease === null) this.#notifier.queue(queue);
    this.#notifier.run(runId);
  }

  lock(requests: readonly LockRequest[]): Promise<LockedRuns> {
    const commit = (held: HeldLink, commits: readonly RunCommit[]): Promise<CommitAnswers> =>
      this.#commitBy(commitAndEnd(held), commits);
    return lockRuns(this.#main, { names: this.#names, statements: this.#statements, commit }, requests);
  }

  load(runId: string): Promise<LoadedRun | null> {
    return loadRun(this.#side, this.#statements, { runId, after: null });
  }

  loadNewer(runId: string, version: number): Promise<LoadedRun | null> {
    return loadRun(this.#side, this.#statements, { runId, after: version });
  }

  async peek(runId: string): ReturnType<Store["peek"]> {
    return peekRun(this.#side, this.#names, runId);
  }

  readPayloads(requests: readonly PayloadRequest[]): Promise<readonly (Payload | null)[]> {
    return readPayloads(this.#side, this.#statements, requests);
  }

  claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.#claims.claim(request);
  }

  heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    return heartbeat(this.#side, this.#statements, request);
  }

  dueRuns(limit: number): ReturnType<Store["dueRuns"]> {
    return dueRuns(this.#side, this.#names, limit);
  }

  async sweep(request: Parameters<Store["sweep"]>[0]): Promise<SweepAnswer> {
    const { freedQueues, ...answer } = await sweep(this.#side, this.#statements, request);
    for (const queue of freedQueues) this.#notifier.queue(queue);
    return answer;
  }

  async putSignal(signal: NewSignal): Promise<void> {
    await putSignal(this.#main, this.#names, signal);
    this.#notifier.due();
  }

  listSignals(runId: string): Promise<readonly StoredSignal[]> {
    return listSignals(this.#side, this.#names, runId);
  }

  putWorker(worker: WorkerRecord): Promise<void> {
    return putWorker(this.#side, this.#names, worker);
  }

  removeWorker(worker: string): Promise<void> {
    return removeWorker(this.#side, this.#names, worker);
  }

  listWorkers(): ReturnType<Store["listWorkers"]> {
    return listWorkers(this.#side, this.#names);
  }

  listRuns(filter: RunFilter): Promise<readonly RunSummaryRow[]> {
    return listRuns(this.#side, this.#names, filter);
  }

  readTrace(runId: string, after: number, limit: number): Promise<readonly TraceEvent[]> {
    return readTrace(this.#side, this.#names, { runId, after, limit });
  }

  appendLogs(lines: readonly LogLine[]): Promise<void> {
    return appendLogs(this.#side, this.#names, lines);
  }

  readLogs(filter: LogFilter): Promise<readonly LogLine[]> {
    return readLogs(this.#side, this.#names, filter);
  }

  durations(workflow: string): Promise<JsonObject> {
    return durations(this.#side, this.#names, workflow);
  }

  putRanks(id: string, ranks: readonly number[]): Promise<void> {
    return putRanks(this.#main, this.#names, { id, ranks });
  }

  getRanks(id: string): Promise<readonly number[] | null> {
    return getRanks(this.#side, this.#names, id);
  }

  prune(policy: Parameters<Store["prune"]>[0]): Promise<readonly string[]> {
    return prune(this.#side, this.#names, policy);
  }

  onChange(listener: (hint: ChangeHint) => void): () => void {
    return this.#listener?.add(listener) ?? ((): void => {});
  }

  get isSilent(): boolean {
    return this.#listener === null || !this.#listener.isHearing;
  }
}

/** Names of channels are cut off after 63 bytes, so a long schema is named by its hash. */
function channelOf(schema: string): string {
  const name = `braid.${schema}`;
  if (Buffer.byteLength(name) <= 63 && !name.includes('"')) return name;
  return `braid.${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
}
