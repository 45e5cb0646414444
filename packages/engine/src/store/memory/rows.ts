import type { StopCause } from "@braid/core";
import type { Cell } from "../codec.ts";
import type { Needs } from "../limits.ts";
import type { LogLine, NewRun, NewSignal } from "../records.ts";
import type { CancelAnswer } from "../run-commit.ts";
import type { PayloadColumn } from "../prepared-commit.ts";
import type { TraceRow } from "../trace-rows.ts";

export interface MemoryRun {
  readonly record: Omit<NewRun, "input" | "meta">;
  readonly groupPlace: number | null;
  readonly createdAt: number;
  readonly input: string;
  readonly meta: string;
  output: string | null;
  version: number;
  lastCommitId: string;
  lastCommitVersion: number;
  lastCancels: readonly CancelAnswer[];
  dueAt: number | null;
  cells: readonly Cell[];
  readonly steps: Map<string, MemoryStep>;
  readonly trace: TraceRow[];
  readonly signals: MemorySignal[];
  readonly logs: LogLine[];
}

/** One row. It is never changed in place: a write makes a copy and installs it. */
export interface MemoryStep {
  readonly runId: string;
  readonly step: number;
  readonly task: number;
  readonly version: number;
  readonly cells: readonly Cell[];
  /** The open attempt, or null. */
  readonly attempt: OpenAttempt | null;
  readonly payload: Partial<Record<PayloadColumn, string>>;
}

/** An attempt that no commit has closed yet: see the life of `steps.dispatch` in `sqlite/schema.ts`. */
export interface OpenAttempt {
  readonly dispatch: "queued" | "leased" | "withdrawn" | "lost";
  readonly number: number;
  readonly queue: string;
  readonly handler: string;
  readonly priority: number;
  /** null: it needs nothing and is not parked. */
  readonly needs: (Needs & { readonly key: string }) | null;
  readonly queuedAt: number;
  readonly worker: string | null;
  readonly token: string | null;
  readonly leaseUntil: number | null;
  readonly claimedAt: number | null;
  readonly stopAsked: StopCause | null;
}

export interface MemorySignal {
  readonly signal: NewSignal;
  readonly payload: string;
  readonly acceptedAt: number;
  isUsed: boolean;
  notices: number;
  noticeAt: number;
}

export const stepKey = (step: number, task: number): string => `${step}/${task}`;
