import type { JsonObject, JsonValue } from "@braid/core";
import type { StepLogger } from "../steps/step-type.ts";

/** What the builder knows of a step at compile time. */
export interface StepInfo {
  readonly output: unknown;
  /** Whether a step that depends on it may start without it having an output. */
  readonly optional: boolean;
}

/** Steps by id. */
export type Steps = Record<string, StepInfo>;

/** The output of a step as others see it: possibly undefined where the step may have been skipped. */
export type OutputOf<Info extends StepInfo> = Info["optional"] extends true
  ? Info["output"] | undefined
  : Info["output"];

export type EdgeKind = "success" | "failure" | "settled";

/** An entry of `dependsOn`: an id, or an id with what the step must have done. */
export type Dependency<Ids extends string> = Ids | { readonly step: Ids; readonly on: EdgeKind };

type IdOf<Entry> = Entry extends { readonly step: infer Id extends string } ? Id : Entry extends string ? Entry : never;

/** Ids of entries that need the step's success. */
type NeededId<Entry> = Entry extends string
  ? Entry
  : Entry extends { readonly step: infer Id extends string; readonly on: "success" }
    ? Id
    : never;

/** `deps` of a handler. Under `any`, `first`, `quorum` and `settled`, and over other edges, each may be missing. */
export type DepsOf<All extends Steps, Entries extends readonly unknown[], Join> = {
  readonly [Id in IdOf<Entries[number]> & keyof All]: Join extends "all" | undefined
    ? Id extends NeededId<Entries[number]>
      ? OutputOf<All[Id]>
      : All[Id]["output"] | undefined
    : All[Id]["output"] | undefined;
};

/** `deps` where every step may be read: `output` and `finally`. */
export type AllDepsOf<All extends Steps> = { readonly [Id in keyof All]: OutputOf<All[Id]> };

/**
 * Whether a step may be skipped while a step behind it goes on: it has a condition, its failure is tolerated, it hangs on
 * a failure, or everything it needs may be skipped.
 */
export type IsOptional<All extends Steps, Options> = Options extends { readonly when: unknown }
  ? true
  : Options extends { readonly onError: "continue" | "skipDependents" }
    ? true
    : Options extends { readonly dependsOn: infer Entries extends readonly unknown[] }
      ? IsOptionalBy<All, Entries>
      : false;

type IsOptionalBy<All extends Steps, Entries extends readonly unknown[]> = Entries extends readonly []
  ? false
  : "failure" extends OnOf<Entries[number]>
    ? true
    : false extends All[IdOf<Entries[number]> & keyof All]["optional"]
      ? false
      : true;

type OnOf<Entry> = Entry extends { readonly on: infer On } ? On : "success";

/** What functions of control expressions (`when`, `items`, `output`) get. */
export interface ControlContext<Input, Deps, Prev> {
  readonly input: Input;
  readonly deps: Deps;
  readonly prev: Prev;
  readonly context: JsonObject;
  readonly run: JsonObject;
}

/** What a step's function gets: one frozen object per attempt. */
export interface HandlerContext<Input, Deps, Prev> {
  readonly input: Input;
  readonly deps: Deps;
  /** Output of the step before, in a sequential list. */
  readonly prev: Prev;
  /** Aborted on cancel, timeout and loss of the lease. */
  readonly signal: AbortSignal;
  readonly logger: StepLogger;
  readonly context: JsonObject;
  readonly attempt: number;
  /** The same for every attempt of one task. */
  readonly idempotencyKey: string;
  readonly heartbeat: () => void;
  readonly progress: (value: JsonValue) => void;
  readonly runId: string;
  readonly stepId: string;
  readonly taskIndex: number;
  readonly streamId: string;
  readonly branchId: string;
  readonly services: Readonly<Record<string, unknown>>;
}

export interface ItemContext<Item> {
  readonly item: Item;
  readonly index: number;
}

export type MaybePromise<Value> = Value | Promise<Value>;

/** Retry settings. Delays in seconds, or as text such as `500ms`, like all durations. */
export interface RetryOptions {
  readonly maxAttempts?: number;
  readonly delay?: number | string;
  readonly backoff?: "fixed" | "linear" | "exponential";
  readonly factor?: number;
  readonly maxDelay?: number | string;
  readonly jitter?: number;
  readonly on?: readonly string[];
}

export type JoinOption =
  | "all"
  | "any"
  | "first"
  | "settled"
  | { readonly quorum: number; readonly cancelRest?: boolean };

/** Options that every step takes. */
export interface CommonOptions {
  readonly name?: string;
  readonly description?: string;
  readonly join?: JoinOption;
  readonly whenUnmet?: "skip" | "skipBranch" | "fail";
  readonly onError?: "fail" | "continue" | "skipDependents";
  readonly priority?: number;
  readonly startDelay?: number | string;
}

/** Options of steps that run attempts. */
export interface TaskOptions extends CommonOptions {
  readonly retry?: number | RetryOptions;
  readonly timeout?: number | string;
  readonly deadline?: number | string;
  readonly concurrency?: { readonly key: string; readonly max: number };
  readonly rateLimit?: number | { readonly count: number; readonly per?: number | string; readonly burst?: number };
  readonly queue?: string;
  /** What an attempt takes of its worker, by name, such as `{ gpu: 1 }`. */
  readonly resources?: Readonly<Record<string, number>>;
}

export interface MapOptions {
  readonly maxConcurrent?: number;
  readonly rateLimit?: number | { readonly count: number; readonly per?: number | string; readonly burst?: number };
  readonly onFailure?: "fail_all" | "complete_running" | "continue";
  readonly tolerateFailures?: number | `${number}%`;
}

export interface BlockOptions extends CommonOptions {
  readonly onFailure?: "fail_all" | "complete_running" | "continue";
  readonly timeout?: number | string;
  readonly maxConcurrent?: number;
  readonly rateLimit?: number | { readonly count: number; readonly per?: number | string; readonly burst?: number };
}

export interface WorkflowOptions {
  readonly description?: string;
  readonly timeout?: number | string;
  readonly maxConcurrent?: number;
  readonly rateLimit?: number | { readonly count: number; readonly per?: number | string; readonly burst?: number };
  readonly onFailure?: "fail_all" | "complete_running" | "continue";
  readonly defaults?: { readonly retry?: number | RetryOptions; readonly timeout?: number | string };
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly priority?: number;
}
