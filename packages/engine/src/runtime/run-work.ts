import { dueTimers, isTerminal, pendingCommands, restore, transition } from "@braid/core";
import type { Command, JsonObject, RowChange, RunEvent, StepRow, TraceEvent } from "@braid/core";
import type { CancelRequest, Enqueue, Fence, PayloadWrite, RunCommit, StoredSignal, TaskKey } from "../store/port.ts";
import { answerControl, controlKeys, functionsOf } from "./control.ts";
import type { FunctionTable } from "./control.ts";
import type { Report } from "./outbox.ts";
import { allRows } from "./run-cache.ts";
import type { CachedRun } from "./run-cache.ts";
import { RunView } from "./run-view.ts";
import type { Surroundings } from "./run-view.ts";
import { NO_VALUES, merge } from "./value-cache.ts";
import type { ValueCache, ValueKey, Values } from "./value-cache.ts";
import { ValueReader } from "./value-reader.ts";

/** What the work on a run needs of the engine. */
export interface WorkContext {
  /** The store's time by estimate. */
  now(): number;
  readonly functions: FunctionTable;
  readonly values: ValueCache;
  readonly surroundings: Surroundings;
  readonly maxPayloadBytes: number;
  /** Offers a task that is about to be queued to the workers of this process; a lease if one takes it. */
  offer(run: CachedRun, task: Enqueue): Enqueue["lease"];
  /** Takes an offer back whose commit was refused. */
  withdraw(lease: NonNullable<Enqueue["lease"]>): void;
}

/** What the work needs before it can go on. */
export type Needs = { readonly kind: "values"; readonly keys: readonly ValueKey[] } | { readonly kind: "signals" };

/** A report and what the kernel said to it. */
export interface Applied {
  readonly report: Report;
  readonly ignored: string | null;
}
