import type { FailureMode } from "../plan/plan.ts";
import type { CancelCause, RowStatus, RunFailure, RunStatus, SkipReason, StepError } from "../kernel/status.ts";

/**
 * The state of a run is its rows, and every field here is a column. Stores keep more columns (leases, payloads); the
 * kernel never sees them.
 */

/** How far a scope has stopped. `soft` lets running attempts and child runs finish. */
export type StopState = "none" | "inside_soft" | "inside" | "outside_soft" | "outside";

/**
 * Why an attempt was asked to stop. The last two only take it out of the queue if nobody has claimed it: `withdrawn` by a
 * pause, after which it wants a slot again; `scope_stopped` by a scope that lets running attempts finish.
 */
export type StopCause = CancelCause | "deadline" | "withdrawn" | "scope_stopped";

/** Whether the cause lets a claimed attempt run on. */
export const isOnlyWithdrawn = (cause: StopCause | null): boolean => cause === "withdrawn" || cause === "scope_stopped";

/**
 * Where the failure of a failed step stands.
 * - `pending`: one of its handlers may still start; `open`: nobody handles it, and no end of its branch was reached yet
 * - `counted`: it fails its scope; `handled`, `tolerated`: it does not. `open` becomes `tolerated` when the scope settles.
 * - `lost`, of a step that did not fail: a failure or a stop took it down, and a retry of other steps left it so; it fails its
 *   scope until it is run again.
 */
export type FailureState = "none" | "pending" | "open" | "counted" | "handled" | "tolerated" | "lost";

export type RunPhase = "main" | "hooks" | "output" | "finally" | "done";

export class RunRow {
  status: RunStatus = "queued";
  phase: RunPhase = "main";
  /** Raised by every `run.retry`, from 1. */
  epoch = 1;
  /** Number of the last trace event. */
  traceSeq = 0;
  /** Number of the last step that settled or whose join fired, in the order in which that happened. */
  settleSeq = 0;
  /** Latest `at` the kernel has seen; time never goes back below it. */
  lastAt = 0;
  queuedAt = 0;
  startedAt: number | null = null;
  finishedAt: number | null = null;
  pausedAt: number | null = null;
  cancelCount = 0;
  /** Instant of the earliest open timer of the run, or null. */
  wakeAt: number | null = null;
  timeoutAt: number | null = null;
  /** When the run's rate limit allows the next start, and the theoretical arrival time behind it (GCRA). */
  rateAt: number | null = null;
  rateTat = 0;
  stop: StopState = "none";
  stopCause: CancelCause | null = null;
  /** Members of the run's own list that have not settled. */
  remaining = 0;
  /** Failures in the run's own list that counted. */
  countedFailures = 0;
  /** Failures anywhere that were tolerated or made up for. */
  toleratedFailures = 0;
  /** Visible steps by settled status, over all lists. */
  completedSteps = 0;
  failedSteps = 0;
  skippedSteps = 0;
  canceledSteps = 0;
  maxConcurrent: number | null = null;
  timeoutMs: number | null = null;
  mode: FailureMode | null = null;
  ranksId: string | null = null;
  error: StepError | null = null;
  failures: readonly RunFailure[] = [];
}

/**
 * One row of the table `steps`: the step itself (`task` -1; for an ordinary step also its only task), or an item of a
 * map (`task` >= 0). A step without a row is `pending` with none of its edges resolved.
 */
export class StepRow {
  readonly step: number;
  readonly task: number;
  status: RowStatus = "pending";
  /** `skipReason` of a skipped row. */
  skipReason: SkipReason | null = null;
  /** Why it was asked to stop; for a canceled row, why it was stopped. */
  stopCause: StopCause | null = null;
  error: StepError | null = null;

  /** Incoming edges resolved so far, by what they became. */
  satisfied = 0;
  dead = 0;
  neutral = 0;
  cut = 0;
  /** 0 until the join has fired (or the step has settled); numbers from `RunRow.settleSeq`. */
  firedSeq = 0;
  settledSeq = 0;
  /** Whether the host was asked to evaluate its control expressions and has not answered. */
  isEvaluating = false;
  /** Source steps of the edges that were satisfied when the join fired. */
  triggeredBy: readonly number[] | null = null;
  /** Whether its own success and order edges are cut (`skipBranch`, `skipDependents`, or taken down by a cut). */
  isCut = false;
  activePorts: readonly string[] | null = null;

  failure: FailureState = "none";
  /** Whether the failed or lost branch through this step has reached an end (see `kernel/failure.ts`). */
  reachedEnd = false;

  /** Number of the latest start; 0 before the first. */
  attempt = 0;
  attemptsUsed = 0;
  /** Lost attempts in a row. */
  lost = 0;
  /** How often the row was reset by `run.retry` after it had completed. */
  resets = 0;
  /** Open timer of the task: kind and instant. */
  timer: "delay" | "retry" | "sleep" | null = null;
  timerAt: number | null = null;
  /** Instant of the step's deadline or, for the owner of a scope, of the scope's timeout. */
  deadlineAt: number | null = null;
  /** Values an evaluation gave instead of the plan's constants, in milliseconds. */
  sleepMs: number | null = null;
  timeoutMs: number | null = null;
  deadlineMs: number | null = null;
  signal: string | null = null;

  /** Counters of the scope this step owns. For a map, members are its items. */
  stop: StopState = "none";
  remaining = 0;
  countedFailures = 0;
  rateAt: number | null = null;
  rateTat = 0;
  /** Map: number of items, and the first that was never admitted. */
  items: number | null = null;
  nextItem = 0;
  completedItems = 0;
  failedItems = 0;
  skippedItems = 0;
  canceledItems = 0;

  readyAt: number | null = null;
  startedAt: number | null = null;
  finishedAt: number | null = null;

  constructor(step: number, task: number) {
    this.step = step;
    this.task = task;
  }
}

/** One changed row: `before` is its image when the transition began (null: the row is new), `after` the live row. */
export type RowChange =
  | { readonly table: "run"; readonly before: RunRow | null; readonly after: RunRow }
  | { readonly table: "step"; readonly before: StepRow | null; readonly after: StepRow };
