import type { ClaimAnswer, ClaimRequest, HeartbeatAnswer, HeartbeatRequest } from "../store/claims.ts";
import type { Resources } from "../store/run-commit.ts";
import type { AttemptContext } from "./attempt-setting.ts";
import type { Clock } from "./clock.ts";
import type { Report } from "./outbox.ts";
import type { CachedRun } from "./run-cache.ts";

export interface WorkerSettings {
  readonly id: string;
  readonly name: string;
  readonly concurrency: number;
  /** null: whichever queues its runs name. */
  readonly queues: readonly string[] | null;
  readonly pollIntervalMs: number;
  readonly leaseMs: number;
  /** null: it does not count them. */
  readonly resources: Resources | null;
  /** Only these runs, and children of theirs, which are added as they come; null: all. */
  readonly runIds: Set<string> | null;
}

/** What a worker needs of the engine. */
export interface WorkerContext {
  readonly clock: Clock;
  readonly attempts: Omit<AttemptContext, "askHeartbeat">;
  hasHandler(name: string): boolean;
  handlerNames(): readonly string[];
  /** Whether attempts of the step have limits over runs to pass: when one ends, another may start. */
  isLimited(run: CachedRun, step: number): boolean;
  /** Milliseconds until an instant of the store. */
  until(instant: number): number;
  /** Whether other processes cannot tell this one that an attempt is to stop. */
  isSilent(): boolean;
  newToken(): string;
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer>;
  loadRun(runId: string, version: number): Promise<CachedRun | null>;
  report(report: Report, until?: number): void;
  /** The store does not answer; the worker tries again by itself. */
  onTrouble(what: string, error: unknown): void;
}
