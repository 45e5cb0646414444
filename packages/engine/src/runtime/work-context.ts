import type { FunctionTable } from "./control.ts";
import type { Report } from "./outbox.ts";
import type { Surroundings } from "./run-view.ts";
import type { TaskDeskContext } from "./task-desk.ts";
import type { LimitTable } from "./task-limits.ts";
import type { ValueCache, ValueKey } from "./value-cache.ts";

/** What the work on a run needs of the engine. */
export interface WorkContext extends TaskDeskContext {
  readonly functions: FunctionTable;
  readonly limits: LimitTable;
  readonly values: ValueCache;
  readonly surroundings: Surroundings;
  readonly maxPayloadBytes: number;
}

/** What one batch may still hold; shared by the runs in it. */
export interface BatchRoom {
  rows: number;
  bytes: number;
}

/** What the work needs before it can go on. */
export type Needs = { readonly kind: "values"; readonly keys: readonly ValueKey[] } | { readonly kind: "signals" };

/** A report and what the kernel said to it. */
export interface Applied {
  readonly report: Report;
  readonly ignored: string | null;
}
