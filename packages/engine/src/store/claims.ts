import type { JsonValue, StopCause } from "@braid/core";
import type { Resources, TaskKey } from "./run-commit.ts";

export interface ClaimRequest {
  readonly worker: string;
  readonly leaseMs: number;
  readonly queues: readonly { readonly queue: string; readonly limit: number }[];
  /** Handlers this worker has; null: any. Names ending in `/` match as prefixes. */
  readonly handlers: readonly string[] | null;
  /** Only tasks of these runs; null: any run (a `braid run` works on its own run and its children). */
  readonly runIds: readonly string[] | null;
  /** What of its resources the worker has free; a name that is absent is not there at all. null: it does not count them. */
  readonly resources: Resources | null;
}

export interface ClaimedTask extends TaskKey {
  readonly runId: string;
  readonly token: string;
  readonly handler: string;
  readonly queue: string;
  readonly claimedAt: number;
  /** Version of the run when it was claimed: an older cache must be reloaded first. */
  readonly version: number;
  readonly stopCause: StopCause | null;
  /** As it was queued; to be given back when the attempt has ended. */
  readonly resources: Resources | null;
}

export interface ClaimAnswer {
  readonly now: number;
  readonly tasks: readonly ClaimedTask[];
  /** When the first rate opens that held back a task which this worker could have taken otherwise; null: none did. */
  readonly nextAt: number | null;
  /** Queues that may hold more tasks for this worker than it had places for; null: those that gave as many as were asked for. */
  readonly fullerQueues: readonly string[] | null;
}

export interface HeartbeatRequest {
  readonly worker: string;
  readonly leaseMs: number;
  readonly leases: readonly {
    readonly runId: string;
    readonly step: number;
    readonly task: number;
    readonly token: string;
    readonly progress?: JsonValue;
  }[];
}

export interface HeartbeatAnswer {
  readonly now: number;
  /** One per lease, in the order asked. */
  readonly leases: readonly (
    | { readonly kind: "renewed"; readonly stopCause: StopCause | null }
    | { readonly kind: "lost" }
  )[];
}

export interface SweepAnswer {
  readonly now: number;
  readonly lost: readonly (TaskKey & { readonly runId: string })[];
}
