import type { JsonObject } from "../json.ts";

export type TraceType =
  | "run.queued"
  | "run.started"
  | "run.paused"
  | "run.resumed"
  | "run.completed"
  | "run.failed"
  | "run.canceled"
  | "step.ready"
  | "step.started"
  | "step.waiting"
  | "step.retrying"
  | "step.completed"
  | "step.failed"
  | "step.skipped"
  | "step.canceled"
  | "task.started"
  | "task.completed"
  | "task.failed"
  | "task.canceled"
  | "task.lost";

/**
 * One state change of a run, numbered without gaps from 1. `step` is a step index, or -1 for the run; `task` an item index,
 * 0 for an ordinary step, -1 where the event is about no task of a map or about the run; `attempt` 0 where there is none.
 */
export interface TraceEvent {
  readonly seq: number;
  readonly at: number;
  readonly type: TraceType;
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
  readonly data: JsonObject | null;
}
