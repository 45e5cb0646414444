import { isOnlyWithdrawn } from "@braid/core";
import type { HeartbeatAnswer, HeartbeatRequest } from "../store/port.ts";
import type { Attempt } from "./attempt.ts";
import type { Clock } from "./clock.ts";

/** Pause between two heartbeats that somebody asks for: how soon a cancel by another process is heard of. */
const ASKED_GAP_MS = 500;

/**
 * Share of a lease after which attempts are stopped if no heartbeat got through: they must end before others may begin.
 */
const SAFE_SHARE = 0.8;

export interface KeeperParts {
  readonly worker: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  attempts(): Iterable<Attempt>;
  heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer>;
  /** Whether nobody would say that an attempt is to stop: then it is asked for. */
  isSilent(): boolean;
  onTrouble(error: unknown): void;
}

/**
 * Renews the leases of running attempts three times in their length, and tells attempts to stop that somebody wants
 * stopped or whose lease is gone. Without attempts it is silent. When heartbeats do not get through, it stops the
 * attempts before their leases can have ended.
 */
export class LeaseKeeper {
  readonly #parts: KeeperParts;
  #cancel: (() => void) | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.POSITIVE_INFINITY;
  #isBeating = false;
  #isClosed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** There is an attempt: its lease has just begun. */
  wake(): void {
    if (this.#cancel !== null || this.#isBeating) return;
    const now = this.#parts.clock.now();
    this.#renewedAt = now;
    this.#beatAt(now + this.#pauseMs);
  }

  /** Beats soon, at most twice a second. */
  ask(): void {
    if (this.#cancel === null) return;
    this.#beatAt(Math.min(this.#dueAt, Math.max(this.#parts.clock.now(), this.#lastAt + ASKED_GAP_MS)));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  get #pauseMs(): number {
    const third = this.#parts.leaseMs / 3;
    return this.#parts.isSilent() ? Math.min(third, ASKED_GAP_MS) : third;
  }

  #beatAt(at: number): void {
    if (this.#isClosed || (this.#cancel !== null && at === this.#dueAt)) return;
    this.#cancel?.();
    this.#dueAt = at;
    this.#cancel = this.#parts.clock.after(Math.max(0, at - this.#parts.clock.now()), () => void this.#beat());
  }

  async #beat(): Promise<void> {
    this.#cancel = null;
    const attempts = [...this.#parts.attempts()];
    if (attempts.length === 0) return;
    this.#isBeating = true;
    const sentAt = this.#parts.clock.now();
    this.#lastAt = sentAt;
    let pause = this.#pauseMs;
    try {
      const answer = await this.#parts.heartbeat(this.#requestFor(attempts));
      this.#renewedAt = sentAt;
      for (const [index, attempt] of attempts.entries()) hear(attempt, answer.leases[index]);
    } catch (error) {
      this.#parts.onTrouble(error);
      pause = Math.min(ASKED_GAP_MS, pause);
      this.#stopBeforeTheEnd(attempts);
    }
    this.#isBeating = false;
    this.#beatAt(this.#parts.clock.now() + pause);
  }

  #requestFor(attempts: readonly Attempt[]): HeartbeatRequest {
    const { worker, leaseMs } = this.#parts;
    const leases = attempts.map((attempt) => {
      const { step, task } = attempt.key;
      const progress = attempt.takeProgress();
      return {
        runId: attempt.run.id,
        step,
        task,
        token: attempt.token,
        ...(progress === undefined ? {} : { progress }),
      };
    });
    return { worker, leaseMs, leases };
  }

  #stopBeforeTheEnd(attempts: readonly Attempt[]): void {
    const { clock, leaseMs } = this.#parts;
    if (clock.now() - this.#renewedAt < leaseMs * SAFE_SHARE) return;
    for (const attempt of attempts) attempt.stop("lost");
  }
}

function hear(attempt: Attempt, lease: HeartbeatAnswer["leases"][number] | undefined): void {
  if (lease === undefined) return;
  if (lease.kind === "lost") attempt.stop("lost");
  // A pause lets running code go on.
  else if (lease.stopCause !== null && !isOnlyWithdrawn(lease.stopCause)) attempt.stop("canceled");
}
