import { isOnlyWithdrawn } from "@braid/core";
import type { HeartbeatAnswer, HeartbeatRequest } from "../store/claims.ts";
import type { Attempt } from "./attempt.ts";
import type { Clock } from "./clock.ts";

/** Pause between two heartbeats where nobody would tell of a cancel, and after one that did not get through. */
const SILENT_GAP_MS = 500;

/** Pause between two heartbeats that somebody asks for: one beat asks for all attempts. */
const ASKED_GAP_MS = 25;

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
 * stopped or whose lease is gone. Without attempts it is silent. When heartbeats do not get through, or get no answer, it
 * stops the attempts before their leases can have ended.
 */
export class LeaseKeeper {
  readonly #parts: KeeperParts;
  #cancel: (() => void) | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;
  #isBeating = false;
  /** Whether a beat was asked for while one was under way. */
  #isAskedAgain = false;
  #cancelGuard: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** There is an attempt: its lease has just begun. */
  wake(): void {
    if (this.#cancel !== null || this.#isBeating) return;
    const now = this.#parts.clock.now();
    this.#renewed(now);
    this.#beatAt(now + this.#pauseMs);
  }

  /** Beats soon. */
  ask(): void {
    if (this.#isBeating) this.#isAskedAgain = true;
    if (this.#cancel === null) return;
    this.#beatAt(Math.min(this.#dueAt, Math.max(this.#parts.clock.now(), this.#lastAt + ASKED_GAP_MS)));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#cancelGuard?.();
    this.#cancelGuard = null;
  }

  get #pauseMs(): number {
    const third = this.#parts.leaseMs / 3;
    return this.#parts.isSilent() ? Math.min(third, SILENT_GAP_MS) : third;
  }

  /** All leases hold from this instant on; unless they are renewed again in time, their attempts are stopped. */
  #renewed(at: number): void {
    const { clock, leaseMs } = this.#parts;
    this.#cancelGuard?.();
    this.#cancelGuard = clock.after(Math.max(0, at + leaseMs * SAFE_SHARE - clock.now()), () => {
      for (const attempt of this.#parts.attempts()) attempt.stop("lost");
    });
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
    if (attempts.length === 0) {
      this.#cancelGuard?.();
      this.#cancelGuard = null;
      return;
    }
    this.#isBeating = true;
    const sentAt = this.#parts.clock.now();
    this.#lastAt = sentAt;
    let pause = this.#pauseMs;
    try {
      const answer = await this.#parts.heartbeat(this.#requestFor(attempts));
      if (!this.#isClosed) this.#renewed(sentAt);
      for (const [index, attempt] of attempts.entries()) hear(attempt, answer.leases[index]);
    } catch (error) {
      this.#parts.onTrouble(error);
      pause = Math.min(SILENT_GAP_MS, pause);
    }
    this.#isBeating = false;
    if (this.#isAskedAgain) pause = Math.min(ASKED_GAP_MS, pause);
    this.#isAskedAgain = false;
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
}

function hear(attempt: Attempt, lease: HeartbeatAnswer["leases"][number] | undefined): void {
  if (lease === undefined) return;
  if (lease.kind === "lost") attempt.stop("lost");
  // A pause lets running code go on.
  else if (lease.stopCause !== null && !isOnlyWithdrawn(lease.stopCause)) attempt.stop("canceled");
}
