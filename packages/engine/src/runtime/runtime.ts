import type { EngineLimits } from "../engine.ts";
import type { LockedRuns, Store } from "../store/port.ts";
import type { LogLine } from "../store/records.ts";
import type { CommitAnswers, RunCommit } from "../store/run-commit.ts";
import { applyAftermath, applyIdle } from "./aftermath.ts";
import type { AftermathContext } from "./aftermath.ts";
import { Alarm } from "./alarm.ts";
import type { AttemptContext } from "./attempt-setting.ts";
import { childOf, Children } from "./children.ts";
import type { ChildRequest, StartedChild } from "./children.ts";
import type { Clock } from "./clock.ts";
import { persist } from "./commit-call.ts";
import type { Persistence } from "./commit-call.ts";
import { CommitLoop } from "./commit-loop.ts";
import { CreationDesk } from "./creation-desk.ts";
import { Crew } from "./crew.ts";
import { EventHub } from "./event-hub.ts";
import { NameSource } from "./ids.ts";
import type { Random } from "./ids.ts";
import type { LockedBatch } from "./loop-context.ts";
import { LogSink } from "./log-sink.ts";
import { eventReport, lookReport } from "./outbox.ts";
import type { Outcome, Report } from "./outbox.ts";
import { PlanCache } from "./plan-cache.ts";
import { RankSource } from "./ranks.ts";
import type { HandlerRegistry } from "./registry.ts";
import { RunCache } from "./run-cache.ts";
import type { CachedRun } from "./run-cache.ts";
import { GROUP_KEY, RunGroups } from "./run-groups.ts";
import { RunWork } from "./run-work.ts";
import type { WorkPlace } from "./run-work.ts";
import type { Needs, WorkContext } from "./work-context.ts";
import { SecretReader } from "./secrets.ts";
import { Starter } from "./starter.ts";
import { StoreTime } from "./store-time.ts";
import { LimitTable } from "./task-limits.ts";
import { ValueCache } from "./value-cache.ts";

/** Runs and values that are kept in memory. */
const MOST_RUNS = 1_000;
const MOST_VALUE_BYTES = 64 * 1024 * 1024;

export interface RuntimeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: HandlerRegistry;
  readonly services: Readonly<Record<string, unknown>>;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly secretsEnv: Readonly<Record<string, string | undefined>>;
  readonly limits: EngineLimits;
  readonly maxPayloadBytes: number;
  readonly graceMs: number;
  readonly patienceMs: number;
  readonly onLog: ((line: LogLine) => void) | null;
  onTrouble(what: string, error: unknown): void;
  /** Creates a child run, or finds it. */
  startChild(request: ChildRequest): Promise<StartedChild>;
}

/** The parts of an engine, put together: what changes runs, what runs attempts, and what stands between them. */
export class Runtime {
  readonly options: RuntimeOptions;
  readonly store: Store;
  readonly time: StoreTime;
  readonly plans: PlanCache;
  readonly runs: RunCache;
  readonly values: ValueCache;
  readonly hub = new EventHub();
  readonly crew = new Crew();
  readonly logs: LogSink;
  readonly loop: CommitLoop;
  readonly starter: Starter;
  readonly children: Children;
  readonly groups: RunGroups;
  readonly limits: LimitTable;
  readonly attempts: Omit<AttemptContext, "askHeartbeat">;
  readonly names: NameSource;
  readonly #alarm: Alarm;
  readonly #work: WorkContext;
  readonly #aftermath: AftermathContext;
  readonly #persistence: Persistence;

  constructor(options: RuntimeOptions) {
    const { store, clock, random, registry, inheritedEnv, maxPayloadBytes } = options;
    this.options = options;
    this.store = store;
    this.names = new NameSource(random);
    this.limits = new LimitTable(options.limits, (handler) => registry.defaultsOf(handler));
    this.time = new StoreTime(clock);
    this.plans = new PlanCache(store, clock);
    this.runs = new RunCache({ store, plans: this.plans, time: this.time, mostRuns: MOST_RUNS });
    this.values = new ValueCache(
      (requests) => this.#persist("read values", () => store.readPayloads(requests)),
      MOST_VALUE_BYTES,
    );
    this.logs = new LogSink({ store, clock, onLog: options.onLog });
    this.#persistence = {
      clock,
      random,
      patienceMs: options.patienceMs,
      onRetry: (error) => options.onTrouble("commit", error),
    };
    this.#alarm = new Alarm(clock, this.time, (ids) => {
      for (const id of ids) this.report(lookReport(id, "timers"));
    });
    this.#work = {
      now: () => this.now(),
      functions: registry.functions,
      limits: this.limits,
      values: this.values,
      surroundings: { inheritedEnv, secrets: null },
      maxPayloadBytes,
      offer: (run, task) => this.crew.offer(run, task),
      withdraw: (lease) => this.crew.withdraw(lease),
    };
    this.attempts = this.#attemptContext();
    this.children = this.#makeChildren();
    this.groups = this.#makeGroups();
    this.#aftermath = this.#makeAftermath();
    this.loop = this.#makeLoop();
    this.starter = this.#makeStarter();
  }

  /** The store's time by estimate. */
  now(): number {
    return this.time.now();
  }

  report(report: Report, until: number | null = null): void {
    this.loop.outbox.add(report, until);
  }

  /** Reports and waits until it is part of the run, or was found to be of no use. */
  async submit(report: Report): Promise<Exclude<Outcome, { readonly kind: "failed" }>> {
    const outcome = await new Promise<Outcome>((settle) => this.report({ ...report, settle }));
    if (outcome.kind === "failed") throw outcome.error;
    return outcome;
  }

  /** Somebody has to look after the run: what it waits for may have come. */
  attend(runId: string): void {
    const settle = (): void => this.#background("start a waiting run", this.tryStart(runId));
    this.report({ ...lookReport(runId, "due"), settle });
  }

  /** Another process may have changed the run. */
  look(runId: string): void {
    const run = this.runs.peek(runId);
    if (run !== undefined) run.isBehind = true;
    this.report(lookReport(runId, "signals"));
  }

  /** Starts a queued run if its group has room. Answers whether it has been started, now or before. */
  async tryStart(runId: string): Promise<boolean> {
    const run = this.runs.peek(runId);
    const limit = run?.info.plan.host.concurrency ?? null;
    const group = run?.facts.meta[GROUP_KEY];
    if (run === undefined || limit === null || typeof group !== "string") return false;
    if (run.state.run.status !== "queued") return true;
    return this.groups.tryStart({ id: runId, workflow: run.info.workflow, group }, limit);
  }

  /** Ends timers; nothing rings any more. */
  close(): void {
    this.#alarm.clear();
  }

  readonly newWork = (run: CachedRun, reports: readonly Report[], place: WorkPlace): RunWork =>
    new RunWork(run, reports, { context: this.#work, ...place });

  /** Reads values and signals for all works of a batch: values in one call. */
  readonly provide = async (needs: readonly (readonly [RunWork, Needs])[]): Promise<void> => {
    const wanted: { work: RunWork; step: number; task: number }[] = [];
    for (const [work, need] of needs) {
      if (need.kind === "signals")
        work.giveSignals(await this.#persist("list signals", () => this.store.listSignals(work.run.id)));
      else for (const { step, task } of need.keys) wanted.push({ work, step, task });
    }
    if (wanted.length === 0) return;
    const requests = wanted.map(({ work, step, task }) => {
      return { runId: work.run.id, epoch: work.run.state.run.epoch, step, task };
    });
    const values = await this.values.read(requests);
    for (const [index, { work, step, task }] of wanted.entries()) work.reader.put({ step, task }, values[index]!);
  };

  /** Makes a call of the store until it answers. */
  persist<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
    return this.#persist(what, call);
  }

  #persist<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
    return persist(what, call, this.#persistence);
  }

  #attemptContext(): Omit<AttemptContext, "askHeartbeat"> {
    const { clock, registry, services, inheritedEnv, maxPayloadBytes, graceMs, secretsEnv } = this.options;
    return {
      clock,
      registry,
      services,
      inheritedEnv,
      maxPayloadBytes,
      graceMs,
      values: this.values,
      secrets: new SecretReader(secretsEnv),
      now: () => this.now(),
      log: (line) => this.logs.add(line),
    };
  }

  #makeLoop(): CommitLoop {
    return new CommitLoop({
      clock: this.options.clock,
      newCommitId: () => this.names.next(),
      mostBatches: this.store.mostCommits,
      peekRun: (runId, version) => this.runs.current(runId, version),
      loadRun: (runId, version) => this.#persist("load a run", () => this.runs.get(runId, version)),
      cachedRun: (runId) => this.runs.peek(runId),
      hasLocks: this.store.lock !== undefined,
      lock: (runs) => this.#lock(runs),
      newWork: this.newWork,
      provide: this.provide,
      commit: (commits) => this.#persist("commit", () => this.time.ask(() => this.store.commit(commits))),
      onAccepted: (work, answer) => applyAftermath(work, answer, this.#aftermath),
      onIdle: (work) => applyIdle(work, this.#aftermath),
      onBroken: (run, error) => {
        this.runs.drop(run.id);
        this.options.onTrouble(`carry on run \`${run.id}\``, error);
      },
      onFault: (fault) => {
        this.options.onTrouble("go on", fault);
        for (const worker of this.crew.all()) worker.abandon();
        this.hub.hint();
      },
    });
  }

  async #lock(runs: readonly CachedRun[]): Promise<LockedBatch | null> {
    const { store } = this;
    if (store.lock === undefined) return null;
    let locked: LockedRuns | null = null;
    try {
      locked = await store.lock(runs.map(({ id, version }) => ({ runId: id, version })));
      return await this.#bringUp(runs, locked);
    } catch (error) {
      this.options.onTrouble("lock runs", error);
      // Whoever commits next would wait for it.
      await locked?.release();
      return null;
    }
  }

  async #bringUp(runs: readonly CachedRun[], locked: LockedRuns): Promise<LockedBatch> {
    const versions = runs.map(({ version }) => version);
    const isThere = await Promise.all(runs.map((run, index) => this.runs.bringUp(run, locked.loaded[index]!)));
    const isNewer = runs.map((run, index) => (isThere[index] === true ? run.version !== versions[index] : null));
    const commit = (commits: readonly RunCommit[]): Promise<CommitAnswers> =>
      this.time.ask(() => locked.commit(commits));
    return { isNewer, commit, release: () => locked.release() };
  }

  #makeStarter(): Starter {
    const creations = new CreationDesk(this.options.clock, (requests) =>
      this.#persist("create runs", () => this.time.ask(() => this.store.createRuns(requests))),
    );
    return new Starter({
      values: this.values,
      ranks: new RankSource(this.store),
      now: () => this.now(),
      newCommitId: () => this.names.next(),
      newWork: this.newWork,
      provide: this.provide,
      createRun: (request) => creations.create(request),
      onAccepted: (work, answer) => applyAftermath(work, answer, this.#aftermath),
    });
  }

  #makeAftermath(): AftermathContext {
    return {
      runs: this.runs,
      values: this.values,
      crew: this.crew,
      hub: this.hub,
      alarm: this.#alarm,
      children: this.children,
      now: () => this.now(),
      report: (report) => this.report(report),
      onGroupFree: (run) => this.#background("start a waiting run", this.#startWaiting(run)),
    };
  }

  #makeChildren(): Children {
    return new Children({
      store: this.store,
      now: () => this.now(),
      start: (request) => this.options.startChild(request),
      loadRun: (runId) => this.runs.get(runId, 0),
      childOf: (parent, place) => childOf(parent, place, this.values),
      report: (report) => this.report(report),
      onTrouble: (what, error) => this.options.onTrouble(what, error),
    });
  }

  async #startWaiting({ info, facts }: CachedRun): Promise<void> {
    const group = facts.meta[GROUP_KEY];
    const limit = info.plan.host.concurrency;
    if (limit === null || typeof group !== "string") return;
    await this.groups.startWaiting({ workflow: info.workflow, group }, limit);
  }

  #makeGroups(): RunGroups {
    return new RunGroups({
      store: this.store,
      start: (runId) => this.report(eventReport(runId, { type: "run.start", at: this.now() })),
      cancel: (runId) => this.report(eventReport(runId, { type: "run.cancel", at: this.now() })),
    });
  }

  #background(what: string, promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.options.onTrouble(what, error));
  }
}
