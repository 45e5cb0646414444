import type { SweepAnswer } from "../store/claims.ts";
import type { Store } from "../store/port.ts";
import type { WorkerRecord } from "../store/records.ts";
import type { Clock } from "./clock.ts";
import type { Random } from "./ids.ts";
import { findDeadWorkers } from "./owners.ts";

const SWEEP_EVERY_MS = 5_000;
const SWEEP_LIMIT = 500;
const TAKE_OVER_AGAIN_MS = 1_000;
const DUE_LIMIT = 100;
const OWN_DUE_LIMIT = 10_000;
const DUE_EVERY_MS = 2_000;
const HINT_GAP_MS = 100;
const ANNOUNCE_EVERY_MS = 30_000;
/** How often a worker of few runs looks at them without a hint. */
const LOOK_EVERY_MS = 15_000;
/** A run that could not be attended is not tried again at once. */
const TRY_AGAIN_AFTER_MS = 5_000;

/** What a caretaker needs of the engine. */
export interface CaretakerContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  dueRuns(limit: number): ReturnType<Store["dueRuns"]>;
  sweep(request: Parameters<Store["sweep"]>[0]): Promise<SweepAnswer>;
  /** Milliseconds until an instant of the store. */
  until(instant: number): number;
  /** Somebody has to look at the run: a timer, a signal, or work that nobody else stands for. */
  attend(runId: string): void;
  /** Another process may have changed the run. */
  look(runId: string): void;
  /** The lease of this attempt was revoked. */
  lost(task: SweepAnswer["lost"][number]): void;
  onTrouble(what: string, error: unknown): void;
}

/**
 * What a worker does for the store beside running tasks, so that nothing depends on a process that may have died: it
 * revokes leases that have ended (all workers do, every five seconds and a bit of chance), and looks for runs whose
 * time has come. A worker of all runs asks the store for them; one of few runs looks at these alone, when it hears of a
 * change.
 */
export class Caretaker {
  readonly #context: CaretakerContext;
  readonly #record: WorkerRecord;
  readonly #runIds: ReadonlySet<string> | null;
  readonly #cancels = new Map<string, () => void>();
  readonly #attended = new Map<string, number>();
  #lastDueAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(context: CaretakerContext, record: WorkerRecord, runIds: ReadonlySet<string> | null) {
    this.#context = context;
    this.#record = record;
    this.#runIds = runIds;
  }

  /**
   * Announces the worker, and takes over at once from workers of this host that have died. What the store does not
   * answer now is tried again: a worker is never refused because of a moment's trouble.
   */
  async start(): Promise<void> {
    await this.#announce();
    await this.#takeOver();
    this.#repeat("announce the worker", ANNOUNCE_EVERY_MS, () => this.#context.store.putWorker(this.#record));
    this.#repeat("sweep leases", SWEEP_EVERY_MS, () => this.#sweepForDead());
    if (this.#runIds === null) {
      await this.#findDue();
    } else {
      for (const runId of this.#runIds) this.#context.attend(runId);
      this.#lookAtOwn();
      this.#repeat("look at runs", LOOK_EVERY_MS, () => this.#findOwnDue());
    }
  }

  async #announce(): Promise<void> {
    try {
      await this.#context.store.putWorker(this.#record);
    } catch (error) {
      this.#context.onTrouble("announce the worker", error);
    }
  }

  /** Revokes leases that have ended, and at once those of workers whose process on this host is dead. */
  async #sweepForDead(): Promise<void> {
    const { store } = this.#context;
    const dead = await findDeadWorkers(await store.listWorkers());
    await this.#sweep(dead);
    for (const worker of dead) await store.removeWorker(worker);
  }

  async #takeOver(): Promise<void> {
    try {
      await this.#sweepForDead();
    } catch (error) {
      this.#context.onTrouble("take over from dead workers", error);
      this.#after("take over", TAKE_OVER_AGAIN_MS, () => void this.#takeOver());
    }
  }

  /** Another process may have changed something. */
  hint(): void {
    if (this.#isClosed) return;
    const wait = this.#lastDueAt + HINT_GAP_MS - this.#context.clock.now();
    this.#after("hint", Math.max(0, wait), () => {
      this.#lastDueAt = this.#context.clock.now();
      if (this.#runIds === null) void this.#findDue();
      else this.#lookAtOwn();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    try {
      await this.#context.store.removeWorker(this.#record.id);
    } catch (error) {
      // Its record says who it was; nobody depends on it.
      this.#context.onTrouble("sign off the worker", error);
    }
  }

  /** Ends without a word to the store. */
  abandon(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #lookAtOwn(): void {
    for (const runId of this.#runIds ?? []) this.#context.look(runId);
  }

  async #sweep(deadWorkers: readonly string[]): Promise<void> {
    for (;;) {
      const { lost } = await this.#context.sweep({ limit: SWEEP_LIMIT, deadWorkers });
      for (const task of lost) this.#context.lost(task);
      if (lost.length < SWEEP_LIMIT) return;
    }
  }

  async #findDue(): Promise<void> {
    let pause = DUE_EVERY_MS;
    try {
      this.#lastDueAt = this.#context.clock.now();
      const { runIds, nextWakeAt } = await this.#context.dueRuns(DUE_LIMIT);
      const isAnyNew = runIds.map((runId) => this.#attend(runId)).includes(true);
      if (nextWakeAt !== null && (isAnyNew || runIds.length === 0)) {
        pause = Math.min(pause, Math.max(1, this.#context.until(nextWakeAt)));
      }
    } catch (error) {
      this.#context.onTrouble("look for due runs", error);
    }
    this.#after("due", pause, () => void this.#findDue());
  }

  /** A worker of few runs leaves those of others alone, even where nobody looks after them. */
  async #findOwnDue(): Promise<void> {
    this.#lookAtOwn();
    const { runIds } = await this.#context.dueRuns(OWN_DUE_LIMIT);
    for (const runId of runIds) if (this.#runIds?.has(runId) === true) this.#attend(runId);
  }

  /** Answers whether the run is attended now; one that was a moment ago is still at it, or cannot be helped here. */
  #attend(runId: string): boolean {
    const now = this.#context.clock.now();
    const latest = this.#attended.get(runId);
    if (latest !== undefined && now - latest < TRY_AGAIN_AFTER_MS) return false;
    if (this.#attended.size > 1_000) this.#attended.clear();
    this.#attended.set(runId, now);
    this.#context.attend(runId);
    return true;
  }

  /**
   * Does something again and again. Its first time is anywhere in the interval: workers that start together drift
   * apart.
   */
  #repeat(name: string, everyMs: number, act: () => Promise<void>): void {
    const again = async (): Promise<void> => {
      try {
        await act();
      } catch (error) {
        this.#context.onTrouble(name, error);
      }
      this.#after(name, everyMs * (0.9 + this.#context.random.next() / 5), () => void again());
    };
    this.#after(name, everyMs * (0.5 + this.#context.random.next() / 2), () => void again());
  }

  #after(name: string, ms: number, act: () => void): void {
    this.#cancels.get(name)?.();
    if (!this.#isClosed) this.#cancels.set(name, this.#context.clock.after(ms, act));
  }
}
