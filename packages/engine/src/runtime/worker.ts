import type { ClaimAnswer, ClaimedTask } from "../store/claims.ts";
import type { Enqueue, TaskKey } from "../store/run-commit.ts";
import { Attempt } from "./attempt.ts";
import type { AttemptContext, StopReason } from "./attempt-setting.ts";
import type { AttemptEnd } from "./attempt-result.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { eventReport } from "./outbox.ts";
import type { PlanInfo } from "./plan-info.ts";
import { QueuePlaces } from "./queue-places.ts";
import { ResourceLedger } from "./resource-ledger.ts";
import { TimeSlices } from "./time-slices.ts";
import type { CachedRun } from "./run-cache.ts";
import type { WorkerContext, WorkerSettings } from "./worker-context.ts";

/** How long `task.started` may wait for company. */
const STARTED_WITHIN_MS = 20;

/** Pause between two claims that a hint asks for. */
const HINT_GAP_MS = 2;

const FIRST_POLL_MS = 50;

/**
 * Runs attempts in this process: claims them from the store's queues, or is given them by commits made here.
 *
 * It is *working* until `stop`, then *draining*: it takes nothing new and lets running attempts end, and then
 * *stopped*. An attempt holds one of its places from the moment it is offered or claimed until its code has ended, even
 * if the code goes on after it was told to stop and its result is no longer wanted. `QueuePlaces` and `TimeSlices` say which
 * tasks it is given without a claim.
 */
export class Worker {
  readonly settings: WorkerSettings;
  readonly #context: WorkerContext;
  readonly #keeper: LeaseKeeper;
  readonly #attemptContext: AttemptContext;
  readonly #attempts = new Map<string, Attempt>();
  readonly #places: QueuePlaces;
  readonly #resources: ResourceLedger;
  readonly #slices = new TimeSlices();
  #state: "working" | "draining" | "stopped" = "working";
  /**
   * Places taken by offers whose commit has not been answered, kept for runs, and taken by code that outlived its attempt.
   */
  #reserved = 0;
  #claiming: Promise<void> | null = null;
  #isClaimWanted = false;
  #lastClaimAt = Number.NEGATIVE_INFINITY;
  #pollMs: number;
  /** When a rate opens that holds tasks back. */
  #nextAt: number | null = null;
  #cancelPoll: (() => void) | null = null;
  readonly #onEmpty: (() => void)[] = [];

  constructor(settings: WorkerSettings, context: WorkerContext) {
    this.settings = settings;
    this.#context = context;
    this.#places = new QueuePlaces(settings.queues);
    this.#resources = new ResourceLedger(settings.resources);
    this.#pollMs = Math.min(FIRST_POLL_MS, settings.pollIntervalMs);
    this.#attemptContext = { ...context.attempts, askHeartbeat: () => this.#keeper.ask() };
    this.#keeper = new LeaseKeeper({
      worker: settings.id,
      leaseMs: settings.leaseMs,
      clock: context.clock,
      attempts: () => this.#attempts.values(),
      heartbeat: (request) => context.heartbeat(request),
      isSilent: () => context.isSilent(),
      onTrouble: (error) => context.onTrouble("renew leases", error),
    });
  }

  /** Looks for work. Resolves after the first claim, so that what commits make from then on may be taken at once. */
  async start(): Promise<void> {
    await this.#claim();
  }

  get isBusy(): boolean {
    return this.#attempts.size > 0;
  }

  get #free(): number {
    return this.settings.concurrency - this.#attempts.size - this.#reserved;
  }

  serves(run: CachedRun): boolean {
    const { runIds } = this.settings;
    if (runIds === null || runIds.has(run.id)) return true;
    const { parent } = run.facts;
    if (parent === null || !runIds.has(parent.runId)) return false;
    runIds.add(run.id);
    return true;
  }

  /** Serves the queues of a plan from now on, if it serves whichever its runs name. */
  meet({ plan }: PlanInfo): void {
    for (const { kind, host } of plan.steps) if (kind === "task") this.#places.meet(host.queue);
  }

  /**
   * Takes a task that is about to be queued, if its run keeps a place, or one is free and nobody has waited longer; its token, or
   * null.
   */
  offer(run: CachedRun, { queue, handler, resources }: Enqueue): string | null {
    if (this.#state !== "working" || !this.#places.meet(queue)) return null;
    if (!this.#context.hasHandler(handler) || !this.serves(run)) return null;
    const hasRoom = this.#resources.hasRoom(resources);
    const keptUntil = hasRoom ? this.#slices.take(run.id) : null;
    const isDrained = this.#places.isDrained(queue);
    if (keptUntil === null) {
      if (this.#free <= 0 || !hasRoom) this.#places.leave(queue);
      if (this.#free <= 0 || !hasRoom || !isDrained) return null;
      this.#reserved += 1;
    }
    const token = this.#context.newToken();
    // Where nobody waits a slice begins anew with every task.
    this.#slices.offer(token, this.#context.clock.now(), this.#places.areAllDrained ? null : keptUntil);
    this.#resources.take(token, resources);
    return token;
  }

  /** The commit of an offer was refused. */
  takeBack(token: string): void {
    this.#slices.end(token);
    this.#resources.give(token);
    this.#leave();
  }

  #leave(): void {
    this.#reserved -= 1;
    this.#lookAgain();
  }

  /** The commit of an offer was accepted: the attempt has started. */
  begin(run: CachedRun, key: TaskKey, token: string): void {
    this.#reserved -= 1;
    this.#slices.begin(token, this.#context.clock.now());
    const attempt = this.#enlist(run, key, token);
    void attempt.execute().then((end) => this.#finish(attempt, end));
  }

  /** The attempt of a task that runs here, whatever its number. */
  find(runId: string, { step, task }: TaskKey): Attempt | undefined {
    for (const attempt of this.#attempts.values()) {
      const { key } = attempt;
      if (key.step === step && key.task === task && attempt.run.id === runId) return attempt;
    }
    return undefined;
  }

  /** There may be tasks in the queues (null: in any): made here and not taken, or by another process. */
  hint(queues: readonly string[] | null = null): void {
    if (this.#state !== "working") return;
    if (queues !== null && !queues.some((queue) => this.#places.serves(queue))) return;
    if (this.#free <= 0) {
      // Whoever waits in a queue now comes before what commits make here, for whichever queue.
      this.#places.leaveAll();
      return;
    }
    const wait = this.#lastClaimAt + HINT_GAP_MS - this.#context.clock.now();
    if (wait <= 0) void this.#claim();
    else this.#pollIn(wait);
  }

  /** Asks the store whether running attempts are to stop. */
  askHeartbeat(): void {
    this.#keeper.ask();
  }

  /** Stops claiming and waits for attempts; those that do not end in time are given back to the queue. */
  async stop(drainMs: number): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "draining";
    this.#cancelPoll?.();
    await this.#claiming;
    if (this.#attempts.size > 0 && drainMs > 0) await this.#emptyWithin(drainMs);
    this.#stopAll("released");
    // The code of every attempt is told to stop and has its grace time; what outlives that is not waited for.
    if (this.#attempts.size > 0) await this.#emptyWithin(Number.POSITIVE_INFINITY);
    this.#state = "stopped";
    this.#keeper.close();
  }

  /** Ends everything at once, without reports: the engine has failed. */
  abandon(): void {
    this.#state = "stopped";
    this.#cancelPoll?.();
    this.#keeper.close();
    this.#stopAll("lost");
  }

  #stopAll(reason: StopReason): void {
    for (const attempt of this.#attempts.values()) attempt.stop(reason);
  }

  #emptyWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === Number.POSITIVE_INFINITY ? null : this.#context.clock.after(ms, resolve);
      this.#onEmpty.push(() => {
        cancel?.();
        resolve();
      });
    });
  }

  #enlist(run: CachedRun, key: TaskKey, token: string): Attempt {
    const attempt = new Attempt({ run, key, token, context: this.#attemptContext });
    this.#attempts.set(token, attempt);
    this.#keeper.wake();
    // What comes too late for a worker that is leaving is given back at once.
    if (this.#state !== "working") attempt.stop("released");
    return attempt;
  }

  #finish(attempt: Attempt, end: AttemptEnd | null): void {
    const { token } = attempt;
    const isKept = this.#reportEnd(attempt, end);
    if (attempt.isCodeRunning) {
      this.#reserved += 1;
      void attempt.code?.finally(() => {
        this.#resources.give(token);
        this.#leave();
      });
    }
    if (!attempt.isCodeRunning) this.#resources.give(token);
    this.#attempts.delete(token);
    if (this.#attempts.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
    if (!isKept) this.#lookAgain();
  }

  /** Reports how an attempt has ended. Answers whether its place is kept for its run until that is applied. */
  #reportEnd({ run, key, token, isCodeRunning }: Attempt, end: AttemptEnd | null): boolean {
    // Where nobody waits a place need not be kept, nor after the last step of a run.
    const mayKeep = end !== null && !isCodeRunning && this.#state === "working" && !this.#places.areAllDrained;
    const mayFollow = key.task >= 0 || run.info.step(key.step).outgoing.length > 0;
    const isKept = mayKeep && mayFollow && this.#slices.keep(run.id, token, this.#context.clock.now());
    this.#slices.end(token);
    if (end === null) return false;
    if (isKept) this.#reserved += 1;
    const isLimited = this.#context.isLimited(run, key.step);
    const onApplied = isKept ? this.#releaseOf(run.id) : null;
    const settle = (): void => {
      onApplied?.();
      // What others were held back by is free now.
      if (isLimited) this.hint();
    };
    const { event, payload, bytes } = end;
    const fence = { step: key.step, task: key.task, token };
    this.#context.report(
      eventReport(run.id, event, { fence, payload, bytes, settle: isKept || isLimited ? settle : null, onApplied }),
    );
    return isKept;
  }

  /** Frees the place that is kept for the run, if nothing has taken it; only once. */
  #releaseOf(runId: string): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      if (this.#slices.release(runId)) this.#leave();
    };
  }

  /** Claims again when enough places are free and a queue may hold tasks. */
  #lookAgain(): void {
    if (this.#state !== "working" || this.#places.areAllDrained) return;
    if (this.#free >= Math.max(1, Math.floor(this.settings.concurrency / 4))) void this.#claim();
  }

  /** One claim at a time; one that is asked for meanwhile follows it. */
  #claim(): Promise<void> {
    this.#isClaimWanted = true;
    this.#claiming ??= this.#claimWhileWanted().finally(() => {
      this.#claiming = null;
      const isWantedAgain = this.#isClaimWanted && this.#free > 0;
      const opensIn = this.#nextAt === null ? Infinity : Math.max(1, this.#context.until(this.#nextAt));
      this.#pollIn(isWantedAgain ? 0 : Math.min(this.#pollMs, opensIn));
    });
    return this.#claiming;
  }

  async #claimWhileWanted(): Promise<void> {
    while (this.#isClaimWanted && this.#state === "working" && this.#free > 0) {
      this.#isClaimWanted = false;
      await this.#claimOnce();
    }
  }

  async #claimOnce(): Promise<void> {
    const queues = this.#places.share(this.#free);
    if (queues.length === 0) return;
    this.#lastClaimAt = this.#context.clock.now();
    const { id, leaseMs, runIds } = this.settings;
    const asked = queues.reduce((sum, { limit }) => sum + limit, 0);
    this.#reserved += asked;
    let answer: ClaimAnswer;
    try {
      const handlers = this.#context.handlerNames();
      answer = await this.#context.claim({
        worker: id,
        leaseMs,
        queues,
        handlers,
        runIds: runIds === null ? null : [...runIds],
        resources: this.#resources.free,
      });
    } catch (error) {
      this.#reserved -= asked;
      this.#pollMs = Math.min(this.settings.pollIntervalMs, this.#pollMs * 2);
      this.#context.onTrouble("claim tasks", error);
      return;
    }
    this.#reserved -= asked;
    this.#slices.noteClaim(this.#context.clock.now() - this.#lastClaimAt);
    this.#places.note(queues, answer);
    this.#pollMs = answer.tasks.length > 0 ? FIRST_POLL_MS : this.#pollMs * 2;
    this.#pollMs = Math.min(this.settings.pollIntervalMs, this.#pollMs);
    this.#nextAt = answer.nextAt;
    await Promise.all(answer.tasks.map((task) => this.#take(task)));
  }

  /** Starts a claimed task at once; that it has started goes with the next batch. */
  async #take(task: ClaimedTask): Promise<void> {
    const { runId, token, claimedAt, version, resources } = task;
    const key: TaskKey = { step: task.step, task: task.task, attempt: task.attempt };
    this.#reserved += 1;
    this.#resources.take(token, resources);
    let run: CachedRun | null = null;
    try {
      run = await this.#context.loadRun(runId, version);
    } catch (error) {
      this.#context.onTrouble(`load run \`${runId}\``, error);
    }
    this.#reserved -= 1;
    // Without the run the lease is left to end: another worker, or this one later, may be able to carry it.
    if (run === null) {
      this.#resources.give(token);
      return;
    }
    const { runIds } = this.settings;
    if (runIds !== null) runIds.add(runId);
    const fence = { step: key.step, task: key.task, token };
    const attempt = this.#enlist(run, key, token);
    this.#slices.start(token, this.#context.clock.now());
    const until = this.#context.clock.now() + STARTED_WITHIN_MS;
    const started = { type: "task.started", at: claimedAt, ...key } as const;
    this.#context.report(eventReport(runId, started, { fence, version }), until);
    void attempt.execute().then((end) => this.#finish(attempt, end));
  }

  #pollIn(ms: number): void {
    if (this.#state !== "working") return;
    this.#cancelPoll?.();
    this.#cancelPoll = this.#context.clock.after(ms, () => {
      // Without a free place nothing can be claimed, and others may have waited for long: the next place is theirs.
      if (this.#free <= 0) this.#places.leaveAll();
      void this.#claim();
    });
  }
}
