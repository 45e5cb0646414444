import type { JsonObject, JsonValue, RateLimit, RunRow, StepRow, StopCause, TraceEvent } from "@braid/core";

/** All that one batch of events changed in one run. */
export interface RunCommit {
  readonly runId: string;
  /** Unique per commit; repeating it is harmless. */
  readonly commitId: string;
  /** `runs.version` the changes were computed from. Accepting raises it by one. */
  readonly expectedVersion: number;
  /**
   * Set where the changes were computed on top of a commit that has not been answered: its `commitId`. Then that one has to be
   * the latest of the run; the version alone could be somebody else's.
   */
  readonly follows?: string;
  /** Leases whose reports this commit accepts; all must still hold. */
  readonly fences: readonly Fence[];
  /** Control columns: the run's row if it changed, and every changed step row, whole. */
  readonly run: RunRow | null;
  readonly steps: readonly StepRow[];
  /** Those of `steps` that the store does not have yet; without it the store finds out. */
  readonly newSteps?: ReadonlySet<StepRow>;
  /** Host columns. Applied after `steps`, in this order: `enqueue`, `closes`, `cancels`. */
  readonly enqueue: readonly Enqueue[];
  /** Attempts the kernel wants stopped; answered. */
  readonly cancels: readonly CancelRequest[];
  /** Attempts that are over: their lease and token are released (the token is kept as the last accepted one). */
  readonly closes: readonly TaskKey[];
  readonly payloads: readonly PayloadWrite[];
  readonly runOutput: { readonly output: JsonValue } | null;
  readonly usedSignals: readonly string[];
  readonly trace: readonly TraceEvent[];
  /**
   * Set where the run still has something to do that no lease, timer or signal stands for: it was created and nobody has
   * started it, a child is to be started, an evaluation to be made. Unless another commit of the run comes first, the run is due
   * (`dueRuns`) after this long. A commit with `cancels` is followed up without asking, after `followUpAfterMs`: whoever was to
   * apply the answers may have died.
   */
  readonly followUpMs?: number;
}

/** How long stores wait for the follow-up of a commit with `cancels`, and for the `task.lost` of a swept lease. */
export const followUpAfterMs = 15_000;

export interface TaskKey {
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
}

export interface Fence {
  readonly step: number;
  readonly task: number;
  readonly token: string;
}

export interface Enqueue extends TaskKey {
  readonly queue: string;
  readonly handler: string;
  readonly priority: number;
  /** Limits over all runs and workers, each name once, in order of names. */
  readonly limits: readonly TaskLimit[];
  /** What an attempt takes of the resources of its worker, by name; null: nothing. */
  readonly resources: Resources | null;
  /** Set: inserted as already leased to this worker (eager dispatch). Never with `limits`. */
  readonly lease: { readonly worker: string; readonly token: string; readonly forMs: number } | null;
}

/** Amounts by name, such as `{ cpu: 2 }`. */
export type Resources = Readonly<Record<string, number>>;

/**
 * A limit over runs, as the task that has to pass it declares it. Tasks may declare the same name differently: each is held to its
 * own words.
 */
export interface TaskLimit {
  readonly name: string;
  /** At most this many attempts under that name at a time, this one included; null: any number. */
  readonly max: number | null;
  /** At most this many starts by GCRA; null: any number. */
  readonly rate: RateLimit | null;
}

export interface CancelRequest extends TaskKey {
  readonly cause: StopCause;
  readonly ifQueued: boolean;
}

export interface PayloadWrite {
  readonly step: number;
  readonly task: number;
  /** Absent columns stay as they are; `null` is JSON null, `undefined` means no change, CLEAR empties the column. */
  readonly output?: JsonValue;
  /** Shard of the shared context. */
  readonly patch?: JsonObject;
  /** Items of a map, as evaluated. */
  readonly items?: readonly JsonValue[];
  /** Input of a child run, as evaluated. */
  readonly childInput?: JsonValue;
  /** Latest progress reported by a handler. */
  readonly progress?: JsonValue;
  /** True: output, patch, items, childInput and progress are emptied first (a reset row). */
  readonly clear?: boolean;
}

export interface CommitAnswers {
  readonly now: number;
  readonly answers: readonly CommitAnswer[];
}

/**
 * - `accepted`, and `repeat` (this `commitId` was accepted before): the new version, and for each cancel what the row was.
 * - `conflict`: another commit, a claim's sweep or a cancel came first; reload and compute again.
 * - `fenced`: these leases are gone; drop their reports and compute again without them.
 * - `rejected`: the data itself cannot be stored; the message says why.
 */
export type CommitAnswer =
  | { readonly kind: "accepted" | "repeat"; readonly version: number; readonly cancels: readonly CancelAnswer[] }
  | { readonly kind: "conflict" }
  | { readonly kind: "fenced"; readonly fences: readonly Fence[] }
  | { readonly kind: "rejected"; readonly message: string };

/** `withdrawn`: it was still queued and is not any more; `claimed`: a worker has it; `gone`: neither. */
export interface CancelAnswer extends TaskKey {
  readonly outcome: "withdrawn" | "claimed" | "gone";
  /** Instant of the claim where it was claimed. */
  readonly claimedAt: number | null;
}
