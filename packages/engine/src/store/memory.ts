import type { JsonObject, JsonValue, Plan, TraceEvent } from "@braid/core";
import { decodeStep } from "./codec.ts";
import { meanDurations, sampledRuns } from "./durations.ts";
import { withFaults } from "./faults.ts";
import type { Faults } from "./faults.ts";
import { claim } from "./memory/claim.ts";
import { commitRun } from "./memory/commit.ts";
import { createRun } from "./memory/create-runs.ts";
import { MemoryData } from "./memory/data.ts";
import { dueRuns, putSignal } from "./memory/due.ts";
import { heartbeat, sweep } from "./memory/leases.ts";
import { prune } from "./memory/prune.ts";
import { listRuns, listSignals, loadRun, readLogs, readPayload, readTrace } from "./memory/reads.ts";
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
import { refusing } from "./refusing.ts";
import { cleanText, encodeJson } from "./storable.ts";

/** Settings of the memory store. */
export interface MemoryStoreOptions {
  /** Milliseconds since 1970. Default: the clock of this machine. A simulation gives its own. */
  readonly now?: () => number;
  /** Calls that go wrong on demand. */
  readonly faults?: Faults;
}

/**
 * A store that lives as long as its process, with the semantics of the others to the letter: every call is atomic, rows
 * and values are copied in and out, and what a database would refuse is refused.
 */
export function createMemoryStore({ now = Date.now, faults }: MemoryStoreOptions = {}): Store {
  const store = new MemoryStore(now);
  return faults === undefined ? store : withFaults(store, faults);
}

class MemoryStore implements Store {
  readonly url = "memory:";
  readonly mostCommits = 1;
  readonly isSilent = false;
  readonly #data = new MemoryData();
  readonly #clock: () => number;
  readonly #listeners = new Set<(hint: ChangeHint) => void>();
  #latest = 0;
  #isNotifying = false;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async open(): Promise<void> {}

  /** The data stays: a store that is opened again goes on, as a file would. */
  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #now(): number {
    this.#latest = Math.max(this.#latest, Math.floor(this.#clock()));
    return this.#latest;
  }

  async putWorkflow({ name, hash, definition, plan }: WorkflowRecord): Promise<{ readonly version: number }> {
    return refusing(() => {
      const versions = this.#data.workflows.get(name) ?? [];
      const known = versions.find((each) => each.hash === hash);
      if (known !== undefined) return { version: known.version };
      const version = versions.length + 1;
      const texts = { definition: encodeJson(definition, "the definition"), plan: encodeJson(plan, "the plan") };
      this.#data.workflows.set(name, [...versions, { name, hash, version, createdAt: this.#now(), ...texts }]);
      return { version };
    });
  }

  async getWorkflow(name: string, version?: number): Promise<StoredWorkflow | null> {
    const versions = this.#data.workflows.get(name) ?? [];
    const found = version === undefined ? versions.at(-1) : versions.find((each) => each.version === version);
    if (found === undefined) return null;
    return { ...found, definition: JSON.parse(found.definition) as JsonValue, plan: JSON.parse(found.plan) as Plan };
  }

  async createRuns(requests: readonly NewRunRequest[]): ReturnType<Store["createRuns"]> {
    const now = this.#now();
    const answers = requests.map((request) => createRun(this.#data, request, now));
    this.#changed();
    return { now, answers };
  }

  async commit(commits: readonly RunCommit[]): Promise<CommitAnswers> {
    const now = this.#now();
    const answers = commits.map((commit) => commitRun(this.#data, commit, now));
    this.#changed();
    return { now, answers };
  }

  async peek(runId: string): ReturnType<Store["peek"]> {
    const found = await this.load(runId);
    return found === null ? null : { status: found.run.status, version: found.version };
  }

  async load(runId: string): Promise<LoadedRun | null> {
    return this.loadNewer(runId, 0);
  }

  async loadNewer(runId: string, version: number): Promise<LoadedRun | null> {
    const run = this.#data.runs.get(runId);
    return run === undefined ? null : loadRun(run, version, this.#now());
  }

  async readPayloads(requests: readonly PayloadRequest[]): Promise<readonly (Payload | null)[]> {
    return requests.map((request) => readPayload(this.#data, request));
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return claim(this.#data, request, this.#now());
  }

  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    return refusing(() => heartbeat(this.#data, request, this.#now()));
  }

  async dueRuns(limit: number): ReturnType<Store["dueRuns"]> {
    return dueRuns(this.#data, limit, this.#now());
  }

  async sweep(request: Parameters<Store["sweep"]>[0]): Promise<SweepAnswer> {
    return sweep(this.#data, request, this.#now());
  }

  async putSignal(signal: NewSignal): Promise<void> {
    refusing(() => putSignal(this.#data, signal, this.#now()));
    this.#changed();
  }

  async listSignals(runId: string): Promise<readonly StoredSignal[]> {
    const run = this.#data.runs.get(runId);
    return run === undefined ? [] : listSignals(run);
  }

  async putWorker(worker: WorkerRecord): Promise<void> {
    const startedAt = Math.floor(worker.startedAt);
    this.#data.workers.set(worker.id, structuredClone({ ...worker, startedAt, seenAt: this.#now() }));
  }

  async removeWorker(worker: string): Promise<void> {
    this.#data.workers.delete(worker);
  }

  async listWorkers(): ReturnType<Store["listWorkers"]> {
    const workers = [...this.#data.workers.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    return structuredClone(workers);
  }

  async listRuns(filter: RunFilter): Promise<readonly RunSummaryRow[]> {
    return listRuns(this.#data, filter);
  }

  async readTrace(runId: string, after: number, limit: number): Promise<readonly TraceEvent[]> {
    const run = this.#data.runs.get(runId);
    return run === undefined ? [] : readTrace(run, after, limit);
  }

  async appendLogs(lines: readonly LogLine[]): Promise<void> {
    for (const line of lines) {
      this.#data.runs.get(line.runId)?.logs.push({ ...line, at: Math.floor(line.at), text: cleanText(line.text) });
    }
  }

  async readLogs(filter: LogFilter): Promise<readonly LogLine[]> {
    const run = this.#data.runs.get(filter.runId);
    return run === undefined ? [] : structuredClone(readLogs(run, filter));
  }

  async durations(workflow: string): Promise<JsonObject> {
    const completed = listRuns(this.#data, { workflow, status: ["completed"], limit: sampledRuns });
    const samples = completed.flatMap(({ id, workflowVersion }) =>
      [...this.#data.runs.get(id)!.steps.values()].flatMap(({ cells }) => {
        const { step, task, status, startedAt, finishedAt } = decodeStep(cells);
        if (task !== -1 || status !== "completed" || startedAt === null || finishedAt === null) return [];
        return [{ workflowVersion, step, totalMs: finishedAt - startedAt, count: 1 }];
      }),
    );
    const versions = this.#data.workflows.get(workflow) ?? [];
    return meanDurations(samples, (version) => JSON.parse(versions[version - 1]!.plan) as Plan);
  }

  async putRanks(id: string, ranks: readonly number[]): Promise<void> {
    if (!this.#data.ranks.has(id)) this.#data.ranks.set(id, encodeJson(ranks, "the ranks"));
  }

  async getRanks(id: string): Promise<readonly number[] | null> {
    const text = this.#data.ranks.get(id);
    return text === undefined ? null : (JSON.parse(text) as number[]);
  }

  async prune(policy: Parameters<Store["prune"]>[0]): Promise<readonly string[]> {
    return prune(this.#data, policy, this.#now());
  }

  /** Engines that share the store are to each other what processes are on a file, so each hears of every change. */
  onChange(listener: (hint: ChangeHint) => void): () => void {
    const entry = (hint: ChangeHint): void => listener(hint);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Tells listeners soon and once, however much changes until then. */
  #changed(): void {
    if (this.#isNotifying || this.#listeners.size === 0) return;
    this.#isNotifying = true;
    queueMicrotask(() => {
      this.#isNotifying = false;
      for (const listener of this.#listeners) listener({});
    });
  }
}
