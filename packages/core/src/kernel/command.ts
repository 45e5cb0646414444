import type { TimerKind } from "./event.ts";
import type { StopCause } from "../state/rows.ts";
import type { RunStatus } from "./status.ts";

/** What the kernel asks of its host, in order. `step` and `task` as in `RunEvent`. */
export type Command =
  | Evaluate
  | StartTask
  | CancelTask
  | CloseTask
  | SetTimer
  | ClearTimer
  | AwaitSignal
  | ForgetSignal
  | StartChild
  | CancelChild
  | FinishRun;

interface OfTask {
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
}

/** Evaluate the control expressions of a step (or the run's output: step -1) and answer in the same batch. */
export interface Evaluate {
  readonly type: "evaluate";
  readonly step: number;
  readonly task: number;
}

/** Put the attempt into its queue. Its slots are reserved until `closeTask`. */
export interface StartTask extends OfTask {
  readonly type: "startTask";
}

/**
 * Stop the attempt. Always answered: still queued: `task.canceled {started: false}`; already claimed: `task.started`,
 * and then, unless `ifQueued`, the running code is told to stop and reports `task.canceled` or any result.
 */
export interface CancelTask extends OfTask {
  readonly type: "cancelTask";
  readonly cause: StopCause;
  /** Only withdraw it from the queue; let it run if it was claimed (a pause, or a scope that lets running attempts finish). */
  readonly ifQueued: boolean;
}

/** The attempt is over for the kernel: release its lease and its limits over runs; later reports of it are stale. */
export interface CloseTask extends OfTask {
  readonly type: "closeTask";
}

export interface SetTimer {
  readonly type: "setTimer";
  readonly step: number;
  readonly task: number;
  readonly timer: TimerKind;
  readonly at: number;
}

export interface ClearTimer {
  readonly type: "clearTimer";
  readonly step: number;
  readonly task: number;
  readonly timer: TimerKind;
}

/** Deliver the oldest unused signal of that name, now or when it comes, as `signal.received`. */
export interface AwaitSignal {
  readonly type: "awaitSignal";
  readonly step: number;
  readonly task: number;
  readonly name: string;
}

export interface ForgetSignal {
  readonly type: "forgetSignal";
  readonly step: number;
  readonly task: number;
  readonly name: string;
}

export interface StartChild extends OfTask {
  readonly type: "startChild";
}

export interface CancelChild extends OfTask {
  readonly type: "cancelChild";
}

export interface FinishRun {
  readonly type: "finishRun";
  readonly status: RunStatus;
}
