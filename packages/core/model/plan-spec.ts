import type { EdgeOn, FailureMode, RateLimit, StepKind } from "../src/plan/plan.ts";

/**
 * A workflow as the generator draws it: small numbers that always mean something, so that every value, also every shrunk
 * one, builds a valid plan. `buildPlan` gives the numbers their meaning.
 */
export interface PlanSpec {
  readonly steps: ListSpec;
  readonly onSuccess: ListSpec | null;
  readonly onFailure: ListSpec | null;
  readonly finally: ListSpec | null;
  readonly hasOutput: boolean;
  readonly maxConcurrent: number | null;
  readonly rateLimit: RateLimit | null;
  readonly timeoutMs: number | null;
  readonly mode: FailureMode;
}

export interface ListSpec {
  /** `graph`: edges come from `deps`; `sequence`: order edges from each step to the next. */
  readonly order: "graph" | "sequence";
  readonly pools: readonly PoolSpec[];
  readonly steps: readonly StepSpec[];
}

export interface PoolSpec {
  readonly maxConcurrent: number | null;
  readonly rateLimit: RateLimit | null;
}

export interface DependencySpec {
  /** Which of the possible sources, modulo their number. */
  readonly pick: number;
  readonly on: EdgeOn;
  readonly port: string | null;
}

export interface JoinSpec {
  readonly kind: "all" | "any" | "first" | "quorum" | "settled";
  readonly quorum: number;
  readonly cancelRest: boolean;
}

export interface StepSpec {
  readonly kind: Exclude<StepKind, "phase" | "pool">;
  /** Place in the topological order of the list: edges lead from lower to higher, whatever the definition order. */
  readonly late: number;
  readonly deps: readonly DependencySpec[];
  readonly join: JoinSpec;
  readonly evaluates: boolean;
  readonly whenUnmet: "skip" | "skipBranch" | "fail";
  readonly onError: "fail" | "continue" | "skipDependents";
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
  readonly backoff: "fixed" | "linear" | "exponential";
  /** Error codes that are retried; null: all. */
  readonly retryOn: readonly string[] | null;
  readonly priority: number;
  readonly rank: number;
  readonly startDelayMs: number;
  readonly sleepMs: number;
  readonly timeoutMs: number | null;
  readonly deadlineMs: number | null;
  /** Index of a pool of the list, or null. */
  readonly pool: number | null;
  readonly map: MapSpec | null;
  /** Of a block; others have none. */
  readonly body: BodySpec | null;
}

export interface MapSpec {
  readonly maxConcurrent: number | null;
  readonly rateLimit: RateLimit | null;
  readonly mode: FailureMode;
  readonly tolerate: { readonly kind: "items" | "percent"; readonly value: number } | null;
  readonly evaluatesItems: boolean;
}

export interface BodySpec {
  /** A hidden group of marked steps: `failure` and `settled` edges of its members may leave it. */
  readonly isGroup: boolean;
  readonly list: ListSpec;
  readonly maxConcurrent: number | null;
  readonly rateLimit: RateLimit | null;
  readonly timeoutMs: number | null;
  readonly mode: FailureMode;
}
