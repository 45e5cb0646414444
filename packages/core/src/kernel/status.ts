export type RunStatus = "queued" | "running" | "paused" | "completed" | "failed" | "canceled";

/** What every surface shows of a step. */
export type StepStatus = "pending" | "ready" | "running" | "waiting" | "completed" | "failed" | "skipped" | "canceled";

/**
 * What a row holds. `queued` is the part of `ready` in which the kernel has admitted the task and reserved its slots:
 * a step shows it as `ready`, a task of a map as `queued`.
 */
export type RowStatus = StepStatus | "queued";

/** Why a step that never started was skipped. */
export type SkipReason =
  | "condition"
  | "branch_not_taken"
  | "upstream_skipped"
  | "upstream_failed"
  | "scope_failed"
  | "run_canceled"
  | "join_lost";

/** Why a step that had started was stopped. */
export type CancelCause =
  | "scope_failed"
  | "scope_timeout"
  | "run_canceled"
  | "run_timeout"
  | "parent_stopped"
  | "join_lost";

/** Error codes that Braid itself gives a failed step; handlers may fail with codes of their own. */
export type ErrorCode =
  | "exit_code"
  | "timeout"
  | "input_unresolved"
  | "input_invalid"
  | "output_invalid"
  | "condition_error"
  | "condition_unmet"
  | "payload_invalid"
  | "lost_lease"
  | "handler_error"
  | "rejected"
  | "child_failed"
  | "child_canceled"
  | "scope_failed";

/** An error as state, trace and outputs carry it. The message is already masked and cut to size by the host. */
export interface StepError {
  readonly code: string;
  readonly message: string;
  /** For a failing handler of a failure: the error it was meant to handle. */
  readonly cause?: { readonly step: string; readonly code: string; readonly message: string };
}

/** A failure that counted, as in `failures` of a run's result. `task` is null for a step without items. */
export interface RunFailure {
  readonly step: string;
  readonly task: number | null;
  readonly code: string;
  readonly message: string;
}

export const isTerminal = (status: RowStatus | RunStatus): boolean =>
  status === "completed" || status === "failed" || status === "skipped" || status === "canceled";
