import type { ItemBehavior } from "../worker/step-types.ts";

/** A workflow as the generator knows it: enough to write the definition, and to say how a run of it must end. */
export interface WorkflowSpec {
  readonly name: string;
  readonly mode: "fail_all" | "complete_running" | "continue";
  readonly steps: readonly StepSpec[];
  /** Steps of the list `finally`; none of them fails. */
  readonly finally?: readonly StepSpec[];
  readonly maxConcurrent?: number;
  /** Of the run; whatever its steps do, they take longer. */
  readonly timeoutMs?: number;
  /** Runs at a time. */
  readonly groupMax?: number;
}

export interface Need {
  readonly step: string;
  readonly on: "success" | "failure" | "settled";
}

export interface StepSpec {
  readonly id: string;
  readonly needs: readonly Need[];
  readonly join?: "any" | "first";
  readonly action: Action;
  /** The value of its condition. */
  readonly when?: boolean;
  readonly isTolerated?: boolean;
  readonly startDelayMs?: number;
  readonly priority?: number;
  /** Whether it writes its nonce to the shared context, under its id and under `shared`. */
  readonly sets?: boolean;
  /** Whether a race may stop it. */
  readonly isRacer?: boolean;
}

export type Action =
  | TaskAction
  | { readonly kind: "join" }
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "signal"; readonly name: string }
  | { readonly kind: "child"; readonly workflow: string };

export interface TaskAction {
  readonly kind: "task";
  readonly type: "work" | "narrow" | "rated";
  readonly ms: number;
  /** Attempts that fail; -1: all. */
  readonly failures: number;
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
  readonly queue?: string;
  /** Name of a `concurrency` key, whose cap is in `settings.ts`. */
  readonly key?: string;
  /** Of one attempt; its code takes longer. */
  readonly timeoutMs?: number;
  readonly looksAtContext?: boolean;
  readonly items?: readonly ItemBehavior[];
  readonly tolerates?: number;
  readonly mapConcurrent?: number;
}

/** Code that only ends when it is stopped. */
export const endlessMs = 600_000;

export function task(ms: number, more: Partial<TaskAction> = {}): TaskAction {
  return { kind: "task", type: "work", ms, failures: 0, maxAttempts: 1, retryDelayMs: 50, ...more };
}

export const after = (...steps: readonly string[]): readonly Need[] => steps.map((step) => ({ step, on: "success" }));

export const upon = (on: Need["on"], ...steps: readonly string[]): readonly Need[] =>
  steps.map((step) => ({ step, on }));

/** All steps, those of `finally` too. */
export const allSteps = ({ steps, finally: last = [] }: WorkflowSpec): readonly StepSpec[] => [...steps, ...last];
