import type { FailureMode } from "../plan/plan.ts";
import type { StepError } from "./status.ts";

/**
 * Everything that can happen to a run. `at` is the host's estimate of database time, milliseconds since 1970; the
 * kernel never lets it go back. `step` is a step index, `task` an item index, or -1 for the step itself, which for an
 * ordinary step is also its only task.
 */
export type RunEvent =
  | RunCreate
  | RunStart
  | StepEvaluated
  | RunEvaluated
  | TaskStarted
  | TaskCompleted
  | TaskFailed
  | TaskCanceled
  | TaskLost
  | TimerFired
  | SignalReceived
  | ChildSettled
  | RunCancel
  | RunPause
  | RunResume
  | RunRetry;

interface At {
  readonly at: number;
}

interface OfTask extends At {
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
}

/** Settings of one run that win over the plan's. */
export interface RunOverrides {
  readonly maxConcurrent?: number;
  readonly timeoutMs?: number;
  readonly mode?: FailureMode;
}

export interface RunCreate extends At {
  readonly type: "run.create";
  readonly overrides?: RunOverrides;
}

export interface RunStart extends At {
  readonly type: "run.start";
  /** Longest remaining path of each step in milliseconds, from past durations; absent: the plan's ranks. */
  readonly ranks?: readonly number[];
  /** Names the immutable row that holds `ranks`. */
  readonly ranksId?: string;
}

/** Answer to `evaluate` of a step. Only what the kernel must know: never the items, never an input. */
export interface StepEvaluated extends At {
  readonly type: "step.evaluated";
  readonly step: number;
  /** -1 for the step; an item index where `evaluatesItems` asked for it. */
  readonly task: number;
  /** Absent means true. */
  readonly when?: boolean;
  /** Number of items of a map. */
  readonly items?: number;
  readonly startDelayMs?: number;
  readonly sleepMs?: number;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly signal?: string;
  readonly error?: StepError;
}

/** Answer to `evaluate` of the run's output. */
export interface RunEvaluated extends At {
  readonly type: "run.evaluated";
  readonly error?: StepError;
}

export interface TaskStarted extends OfTask {
  readonly type: "task.started";
}

export interface TaskCompleted extends OfTask {
  readonly type: "task.completed";
  /** Output ports that are active; absent: all. */
  readonly activePorts?: readonly string[];
}

export interface TaskFailed extends OfTask {
  readonly type: "task.failed";
  readonly error: StepError;
  /** False: not retried whatever the policy says. */
  readonly retryable?: boolean;
  /** Delay the handler asks for instead of the policy's. */
  readonly retryAfterMs?: number;
}

/** The attempt was withdrawn from the queue (`started: false`) or stopped after `cancelTask`. */
export interface TaskCanceled extends OfTask {
  readonly type: "task.canceled";
  readonly started: boolean;
}

/** The lease of the attempt ended without a result. */
export interface TaskLost extends OfTask {
  readonly type: "task.lost";
}

/** `step` is -1 for the run's own timers. */
export interface TimerFired extends At {
  readonly type: "timer.fired";
  readonly step: number;
  readonly task: number;
  readonly timer: TimerKind;
}

/**
 * `delay` (startDelay), `retry` and `sleep` belong to a task; `deadline` to a step; `timeout` to a scope or the run;
 * `rate` to a scope that waits for its rate limit.
 */
export type TimerKind = "delay" | "retry" | "sleep" | "deadline" | "timeout" | "rate";

export interface SignalReceived extends At {
  readonly type: "signal.received";
  readonly step: number;
  readonly task: number;
  readonly name: string;
  readonly verdict: "approved" | "rejected" | "signal";
  readonly message?: string;
}

/** The child run of `startChild` has ended. */
export interface ChildSettled extends OfTask {
  readonly type: "child.settled";
  readonly status: "completed" | "failed" | "canceled";
  readonly message?: string;
}

export interface RunCancel extends At {
  readonly type: "run.cancel";
}

export interface RunPause extends At {
  readonly type: "run.pause";
}

export interface RunResume extends At {
  readonly type: "run.resume";
}

/** Neither: everything that failed. `from`: the step and all its descendants. `only`: that step. Step indexes. */
export interface RunRetry extends At {
  readonly type: "run.retry";
  readonly from?: number;
  readonly only?: number;
}
