import type { RowChange } from "../state/rows.ts";
import type { Command } from "./command.ts";
import type { TraceEvent } from "./trace.ts";

/** What one event did. `ignored` says why a stale or duplicate event changed nothing. */
export interface Transition {
  readonly changes: readonly RowChange[];
  readonly commands: readonly Command[];
  readonly trace: readonly TraceEvent[];
  readonly ignored: string | null;
}
