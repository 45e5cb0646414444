import type { Enqueue, TaskKey } from "../store/run-commit.ts";
import type { StopReason } from "./attempt-setting.ts";
import type { CachedRun } from "./run-cache.ts";
import type { Worker } from "./worker.ts";

type Lease = NonNullable<Enqueue["lease"]>;

/** The workers of one process, as the commit loop sees them. */
export class Crew {
  readonly #workers = new Map<string, Worker>();

  get isEmpty(): boolean {
    return this.#workers.size === 0;
  }

  add(worker: Worker): void {
    this.#workers.set(worker.settings.id, worker);
  }

  remove(worker: Worker): void {
    this.#workers.delete(worker.settings.id);
  }

  all(): readonly Worker[] {
    return [...this.#workers.values()];
  }

  /** Whether some worker here works on the run. */
  serves(run: CachedRun): boolean {
    for (const worker of this.#workers.values()) if (worker.serves(run)) return true;
    return false;
  }

  /** A lease for a task that is about to be queued, if a worker takes it. */
  offer(run: CachedRun, task: Enqueue): Lease | null {
    for (const worker of this.#workers.values()) {
      const token = worker.offer(run, task);
      if (token !== null) return { worker: worker.settings.id, token, forMs: worker.settings.leaseMs };
    }
    return null;
  }

  withdraw(lease: Lease): void {
    this.#workers.get(lease.worker)?.takeBack(lease.token);
  }

  /** The commit that holds the lease was accepted: the attempt starts. */
  begin(run: CachedRun, key: TaskKey, lease: Lease): void {
    this.#workers.get(lease.worker)?.begin(run, key, lease.token);
  }

  /** Tells an attempt of this task to stop, if it runs here. */
  stop(runId: string, key: TaskKey, reason: StopReason): void {
    for (const worker of this.#workers.values()) {
      const attempt = worker.find(runId, key);
      if (attempt?.key.attempt === key.attempt) attempt.stop(reason);
    }
  }

  /** There may be tasks to claim in these queues; null: in any. */
  hint(queues: readonly string[] | null = null): void {
    for (const worker of this.#workers.values()) worker.hint(queues);
  }

  /** Another process may have asked running attempts to stop. */
  askHeartbeats(): void {
    for (const worker of this.#workers.values()) if (worker.isBusy) worker.askHeartbeat();
  }
}
