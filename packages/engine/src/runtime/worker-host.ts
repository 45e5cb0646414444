import type { WorkerHandle, WorkOptions } from "../engine.ts";
import type { SweepAnswer } from "../store/claims.ts";
import type { WorkerRecord } from "../store/records.ts";
import { Caretaker } from "./caretaker.ts";
import { ChangeHints } from "./change-hints.ts";
import type { FullHint } from "./change-hints.ts";
import { eventReport, lookReport } from "./outbox.ts";
import { ownStart, processHost } from "./owners.ts";
import type { Runtime } from "./runtime.ts";
import { RunFamily } from "./run-family.ts";
import { Worker } from "./worker.ts";
import type { WorkerContext } from "./worker-context.ts";

const DEFAULT_CONCURRENCY = 10;
const DEFAULT_POLL_MS = 1_000;
const DEFAULT_DRAIN_MS = 30_000;
const LISTENER_GAP_MS = 200;

interface Post {
  readonly worker: Worker;
  readonly caretaker: Caretaker;
  readonly stop: (drainMs: number) => Promise<void>;
}

/** Starts and stops the workers of an engine. */
export class WorkerHost {
  readonly #runtime: Runtime;
  readonly #leaseMs: number;
  readonly #hints: ChangeHints;
  readonly #posts = new Set<Post>();
  #listenersHintedAt = Number.NEGATIVE_INFINITY;
  #cancelListenerHint: (() => void) | null = null;

  constructor(runtime: Runtime, leaseMs: number) {
    this.#runtime = runtime;
    this.#leaseMs = leaseMs;
    this.#hints = new ChangeHints(runtime.store, runtime.options.clock, (hint) => this.#onHint(hint));
  }

  /** Keeps hints coming from other processes; returns a function that ends it. */
  holdHints(): () => void {
    return this.#hints.hold();
  }

  async work(options: WorkOptions): Promise<WorkerHandle> {
    const { names, crew, store, runs } = this.#runtime;
    const runIds = options.runIds === undefined ? null : new Set(options.runIds);
    const settings = {
      id: names.next(),
      name: options.name ?? `worker-${process.pid}`,
      concurrency: Math.max(1, Math.floor(options.concurrency ?? DEFAULT_CONCURRENCY)),
      // Who works on a run works on all of it.
      queues: queuesOf(options),
      pollIntervalMs: options.pollIntervalMs ?? DEFAULT_POLL_MS,
      leaseMs: this.#leaseMs,
      // Who works on a run alone takes what it asks for, unless it is said what there is.
      resources: options.resources ?? (runIds === null ? {} : null),
      runIds,
    };
    const worker = new Worker(settings, this.#workerContext());
    const { id, name, queues, resources } = settings;
    const record = {
      id,
      host: processHost(),
      pid: process.pid,
      startedAt: ownStart(),
      name,
      queues: queues ?? [],
      resources: resources ?? {},
    };
    const family = runIds === null ? null : new RunFamily({ runIds, worker, store, runs });
    const caretaker = this.#caretaker(record, family);
    const release = this.#hints.hold();
    const post: Post = { worker, caretaker, stop: (drainMs) => this.#stop(post, release, drainMs) };
    this.#posts.add(post);
    crew.add(worker);
    await family?.meet();
    await worker.start();
    await caretaker.start();
    return { id, stop: ({ drainMs = DEFAULT_DRAIN_MS } = {}) => post.stop(drainMs) };
  }

  async stopAll(drainMs: number): Promise<void> {
    this.#cancelListenerHint?.();
    await Promise.all([...this.#posts].map((post) => post.stop(drainMs)));
  }

  async #stop(post: Post, release: () => void, drainMs: number): Promise<void> {
    if (!this.#posts.delete(post)) {
      // Whoever asks again with less patience shortens the wait of the first.
      await post.worker.stop(drainMs);
      return;
    }
    const { loop, logs, crew } = this.#runtime;
    const hasFailed = loop.fault !== null;
    if (hasFailed) post.worker.abandon();
    else await post.worker.stop(drainMs);
    // A commit under way may hold a lease for the worker, which it gives back.
    await loop.settled();
    crew.remove(post.worker);
    release();
    await logs.flush();
    await loop.settled();
    if (hasFailed) post.caretaker.abandon();
    else await post.caretaker.close();
  }

  #onHint(hint: FullHint): void {
    const { crew, hub } = this.#runtime;
    if (hint.queues === null || hint.queues.length > 0) crew.hint(hint.queues);
    if (hint.isStopAsked) crew.askHeartbeats();
    if (hint.isDue) for (const { caretaker } of this.#posts) caretaker.hint();
    if (hint.runIds === null) this.#hintListeners();
    else for (const runId of hint.runIds) hub.hint(runId);
  }

  /** Whoever listens to a run reads it anew: not at every hint, of which a busy neighbour gives many. */
  #hintListeners(): void {
    const { hub, options } = this.#runtime;
    const now = options.clock.now();
    const wait = this.#listenersHintedAt + LISTENER_GAP_MS - now;
    if (wait > 0) {
      this.#cancelListenerHint ??= options.clock.after(wait, () => this.#hintListeners());
      return;
    }
    this.#cancelListenerHint = null;
    this.#listenersHintedAt = now;
    hub.hint();
  }

  #workerContext(): WorkerContext {
    const runtime = this.#runtime;
    const { store, time, runs, attempts, names, options, limits } = runtime;
    return {
      clock: options.clock,
      attempts,
      hasHandler: (name) => options.registry.has(name),
      handlerNames: () => options.registry.names(),
      isLimited: (run, step) => {
        const { concurrency, resources, handler } = run.info.step(step).host;
        return concurrency !== null || resources !== null || limits.ofHandler(handler).length > 0;
      },
      until: (instant) => time.until(instant),
      isSilent: () => store.isSilent,
      newToken: () => names.next(),
      claim: (request) => time.ask(() => store.claim(request)),
      heartbeat: (request) => time.ask(() => store.heartbeat(request)),
      loadRun: (runId, version) => runs.get(runId, version),
      report: (report, until) => runtime.report(report, until ?? null),
      onTrouble: (what, error) => options.onTrouble(what, error),
    };
  }

  #caretaker(record: WorkerRecord, family: RunFamily | null): Caretaker {
    const runtime = this.#runtime;
    const { store, time, runs, options } = runtime;
    const context = {
      store,
      clock: options.clock,
      random: options.random,
      dueRuns: (limit: number) => time.ask(() => store.dueRuns(limit)),
      sweep: (request: Parameters<typeof store.sweep>[0]) => time.ask(() => store.sweep(request)),
      until: (instant: number) => time.until(instant),
      attend: (runId: string) => {
        // What this process has made itself needs nobody's attention but that of its timers.
        if (family !== null && runs.peek(runId)?.isOwn === true) runtime.report(lookReport(runId, "timers"));
        else runtime.attend(runId);
      },
      look: (runId: string) => {
        runtime.look(runId);
        family?.meet().catch((error: unknown) => options.onTrouble("find child runs", error));
      },
      lost: ({ runId, ...key }: SweepAnswer["lost"][number]) =>
        runtime.report(eventReport(runId, { type: "task.lost", at: runtime.now(), ...key })),
      onTrouble: (what: string, error: unknown) => options.onTrouble(what, error),
    };
    return new Caretaker(context, record, family?.runIds ?? null);
  }
}

function queuesOf({ queues, runIds }: WorkOptions): readonly string[] | null {
  if (queues !== undefined && queues.length > 0) return queues;
  return runIds === undefined ? ["default"] : null;
}
