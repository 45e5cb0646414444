import { isTerminal, stepRow } from "@braid/core";
import type { JsonValue } from "@braid/core";
import type {
  Engine,
  Progress,
  PublicTraceEvent,
  Registered,
  RunHandle,
  RunResult,
  StartOptions,
  StepResultView,
  WorkerHandle,
  WorkOptions,
  WorkflowSource,
} from "../engine.ts";
import { startGroupWatcher } from "../process/group-watcher.ts";
import type { Store } from "../store/port.ts";
import type { RunSummaryRow } from "../store/records.ts";
import { EngineError } from "./errors.ts";
import type { Launcher } from "./launcher.ts";
import { findStep, Operations } from "./operations.ts";
import { progressOf, Results } from "./results.ts";
import type { CachedRun } from "./run-cache.ts";
import { isEnd, RunWatch } from "./run-watch.ts";
import type { Runtime } from "./runtime.ts";
import type { WorkerHost } from "./worker-host.ts";
import type { Workflows } from "./workflows.ts";

/** Attempts at a time of `run`, whose cap is the run's own. */
const UNCAPPED = 1_000;

const LISTED = 50;

export interface EngineParts {
  readonly runtime: Runtime;
  readonly workflows: Workflows;
  readonly launcher: Launcher;
  readonly host: WorkerHost;
  readonly ownsStore: boolean;
}

/** The public face of the runtime. */
export class BraidEngine implements Engine {
  readonly store: Store;
  readonly #parts: EngineParts;
  readonly #operations: Operations;
  readonly #results: Results;
  readonly #watch: RunWatch;
  #closing: Promise<void> | null = null;

  constructor(parts: EngineParts) {
    const { runtime, host } = parts;
    const { store, hub, runs, values, loop, options } = runtime;
    this.store = store;
    this.#parts = parts;
    this.#operations = new Operations(runtime);
    this.#results = new Results(store, values);
    this.#watch = new RunWatch({
      store,
      clock: options.clock,
      hub,
      runs,
      holdHints: () => host.holdHints(),
      persist: (what, read) => runtime.persist(what, read),
      fault: () => loop.fault,
    });
  }

  async register(workflow: Exclude<WorkflowSource, string>): Promise<Registered> {
    this.#check();
    return this.#parts.workflows.register(workflow);
  }

  async start(workflow: WorkflowSource, options: StartOptions = {}): Promise<RunHandle> {
    this.#check();
    return this.#handle(await this.#parts.launcher.start(workflow, options));
  }

  async startMany(workflow: WorkflowSource, runs: readonly StartOptions[]): Promise<readonly RunHandle[]> {
    this.#check();
    const { launcher } = this.#parts;
    const ids = await Promise.all(runs.map((options) => launcher.start(workflow, options)));
    return ids.map((id) => this.#handle(id));
  }

  async run(
    workflow: WorkflowSource,
    options: StartOptions & { readonly timeoutMs?: number } = {},
  ): Promise<RunResult> {
    this.#check();
    const { launcher, host } = this.#parts;
    const { timeoutMs, ...others } = options;
    const overrides = timeoutMs === undefined ? others.overrides : { ...others.overrides, timeoutMs };
    const id = launcher.newRunId();
    // The worker first: then the first steps need not go through the queue.
    const worker = await host.work({ runIds: [id], concurrency: UNCAPPED });
    try {
      const started = await launcher.start(
        workflow,
        { ...others, ...(overrides === undefined ? {} : { overrides }) },
        id,
      );
      if (started === id) return await this.#resultOf(id);
    } finally {
      await worker.stop({ drainMs: 0 });
    }
    // An earlier run with the same key: work on that one.
    return this.#workOn(await launcher.start(workflow, others));
  }

  async get(runId: string): Promise<RunHandle | null> {
    this.#check();
    return (await this.store.load(runId)) === null ? null : this.#handle(runId);
  }

  async inspect(runId: string): Promise<RunResult | null> {
    this.#check();
    const { runtime } = this.#parts;
    const run = await runtime.runs.read(runId);
    return run === null ? null : this.#results.ofRun(run, runtime.now());
  }

  async progress(runId: string): Promise<Progress | null> {
    this.#check();
    const run = await this.#parts.runtime.runs.read(runId);
    return run === null ? null : progressOf(run);
  }

  async list(filter: Parameters<Engine["list"]>[0] = {}): Promise<readonly RunSummaryRow[]> {
    this.#check();
    return this.store.listRuns({ limit: LISTED, ...filter });
  }

  events(runId: string, options: { readonly after?: number } = {}): AsyncIterable<PublicTraceEvent> {
    this.#check();
    return this.#watch.events(runId, options.after ?? 0);
  }

  async cancel(runId: string): Promise<void> {
    this.#check();
    await this.#operations.cancel(runId);
  }

  async pause(runId: string): Promise<void> {
    this.#check();
    await this.#operations.pause(runId);
  }

  async resume(runId: string): Promise<void> {
    this.#check();
    await this.#operations.resume(runId);
  }

  async retry(runId: string, options: { readonly from?: string; readonly only?: string } = {}): Promise<void> {
    this.#check();
    await this.#operations.retry(runId, options);
  }

  async signal(runId: string, name: string, payload: JsonValue = null): Promise<void> {
    this.#check();
    await this.#operations.signal(runId, name, payload);
  }

  async approve(runId: string, step: string, payload: JsonValue = null): Promise<void> {
    this.#check();
    await this.#operations.judge(runId, step, { verdict: "approved", payload });
  }

  async reject(runId: string, step: string, payload: JsonValue = null): Promise<void> {
    this.#check();
    await this.#operations.judge(runId, step, { verdict: "rejected", payload });
  }

  async work(options: WorkOptions = {}): Promise<WorkerHandle> {
    this.#check();
    startGroupWatcher();
    return this.#parts.host.work(options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { runtime, host, ownsStore } = this.#parts;
    await host.stopAll(0);
    await runtime.loop.settled();
    await runtime.logs.flush();
    runtime.loop.stop(new EngineError("engine_closed", "The engine was closed."));
    runtime.close();
    runtime.hub.hint();
    if (ownsStore) await this.store.close();
  }

  #check(): void {
    const { fault } = this.#parts.runtime.loop;
    if (fault !== null) throw fault;
    if (this.#closing !== null) throw new EngineError("engine_closed", "The engine was closed.");
  }

  #handle(id: string): RunHandle {
    return {
      id,
      result: () => this.#resultOf(id),
      step: (name) => ({ result: () => this.#stepResultOf(id, name) }),
      events: (options) => this.events(id, options),
      cancel: () => this.cancel(id),
    };
  }

  async #workOn(runId: string): Promise<RunResult> {
    const worker = await this.#parts.host.work({ runIds: [runId], concurrency: UNCAPPED });
    try {
      return await this.#resultOf(runId);
    } finally {
      await worker.stop({ drainMs: 0 });
    }
  }

  async #resultOf(runId: string): Promise<RunResult> {
    const run = await this.#watch.until(
      runId,
      (each) => isTerminal(each.state.run.status),
      (_, event) => isEnd(event),
    );
    return this.#results.ofRun(run, this.#parts.runtime.now());
  }

  async #stepResultOf(runId: string, name: string): Promise<StepResultView> {
    const isSettled = (run: CachedRun): boolean => {
      const row = stepRow(run.state, findStep(run, name));
      return isTerminal(run.state.run.status) || (row !== undefined && isTerminal(row.status));
    };
    const run = await this.#watch.until(
      runId,
      isSettled,
      (each, event) => isEnd(event) || (event.step === findStep(each, name) && event.type !== "step.ready"),
    );
    return this.#results.ofStep(run, findStep(run, name));
  }
}
