import type { JsonObject, JsonValue, Plan, RunRow, RunStatus, StepRow } from "@braid/core";
import type { Resources, RunCommit, TaskKey } from "./run-commit.ts";

export interface NewRunRequest {
  readonly run: NewRun;
  readonly commit: RunCommit;
}

export interface WorkflowRecord {
  readonly name: string;
  /** SHA-256 of the canonical JSON of the plan. */
  readonly hash: string;
  readonly definition: JsonValue;
  readonly plan: Plan;
}

export interface StoredWorkflow extends WorkflowRecord {
  readonly version: number;
  readonly createdAt: number;
}

export interface NewRun {
  /** UUIDv7, made by the client. */
  readonly id: string;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly input: JsonValue;
  readonly priority: number;
  readonly idempotencyKey: string | null;
  readonly parent: {
    readonly runId: string;
    readonly step: number;
    readonly task: number;
    readonly attempt: number;
  } | null;
  /** Values the worker that owns the run's terminal needs again on resume, such as the directory of the file. */
  readonly meta: JsonObject;
  /** Name of the group of runs of this workflow that it belongs to (`concurrency`), or null. */
  readonly group: string | null;
}

/** `rejected`: the data itself cannot be stored; the message says why. */
export type CreateAnswer =
  | { readonly kind: "created"; readonly version: number }
  | { readonly kind: "exists"; readonly runId: string }
  | { readonly kind: "rejected"; readonly message: string };

export interface LoadedRun {
  readonly now: number;
  readonly id: string;
  readonly version: number;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly priority: number;
  readonly parent: NewRun["parent"];
  readonly meta: JsonObject;
  readonly createdAt: number;
  readonly run: RunRow;
  /** In order of step, then task. */
  readonly steps: readonly StepRow[];
  /** Live leases of the run, for surfaces and takeover. */
  readonly leases: readonly (TaskKey & { readonly worker: string; readonly token: string; readonly until: number })[];
}

export type PayloadRequest =
  | { readonly runId: string; readonly kind: "input" | "output" }
  | { readonly runId: string; readonly kind: "step"; readonly step: number; readonly task: number };

export interface Payload {
  /** Run: its input or output. Step: its output; undefined where none was written. */
  readonly value: JsonValue | undefined;
  readonly patch: JsonObject | null;
  readonly items: readonly JsonValue[] | null;
  readonly childInput: JsonValue | undefined;
  readonly progress: JsonValue | undefined;
}

export interface NewSignal {
  readonly id: string;
  readonly runId: string;
  readonly name: string;
  readonly verdict: "approved" | "rejected" | "signal";
  readonly payload: JsonValue;
}

export interface StoredSignal extends NewSignal {
  readonly acceptedAt: number;
}

export interface WorkerRecord {
  /** Random per process start. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Distinguishes a reused pid: start time of the process, milliseconds since 1970. */
  readonly startedAt: number;
  readonly name: string;
  readonly queues: readonly string[];
  /** All that it has, also what is in use. */
  readonly resources: Resources;
}

export interface RunFilter {
  readonly workflow?: string;
  /** Only with `workflow`: of this group of its runs. */
  readonly group?: string;
  readonly status?: readonly RunStatus[];
  readonly parent?: string;
  readonly limit: number;
  /** Only runs older than this id (UUIDv7 ids order by time). */
  readonly before?: string;
}

export interface RunSummaryRow {
  readonly id: string;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly createdAt: number;
  /**
   * Place in its group, rising with the order in which the runs of the group became visible: whoever sees a run sees all runs of
   * its group with a lower place. null: it is in no group.
   */
  readonly groupPlace: number | null;
  readonly run: RunRow;
}

export interface LogLine {
  readonly runId: string;
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
  readonly at: number;
  readonly stream: "stdout" | "stderr" | "log";
  readonly text: string;
}

export interface LogFilter {
  readonly runId: string;
  readonly step?: number;
  readonly task?: number;
  readonly limit?: number;
  /** Only the last lines instead of the first. */
  readonly tail?: boolean;
}
