import type { JsonObject, JsonValue } from "../json.ts";

/**
 * A compiled workflow: indexed, validated, plain JSON, never changed after `compile`.
 *
 * Steps, edges and scopes refer to each other by index. Steps stand in definition order, depth first (a block before its
 * members), and every tie in the kernel is broken by that index. The kernel reads only the fields marked so; the rest
 * belongs to the worker that runs an attempt.
 */
export interface Plan {
  /** Raised when the meaning of a field changes; a stored plan of another version is refused. */
  readonly planVersion: 1;
  readonly workflow: string;
  readonly definitionVersion: number;
  readonly steps: readonly PlanStep[];
  readonly edges: readonly PlanEdge[];
  /** `scopes[0]` is the run itself. A scope stands after the scope around it. */
  readonly scopes: readonly PlanScope[];
  /** Whether the run has an `output` that the host must evaluate (`run.evaluated`) before `finally` starts. */
  readonly hasOutput: boolean;
  /** Hidden steps that own the lists beside `steps`; null where the workflow has none. */
  readonly phases: {
    readonly onSuccess: number | null;
    readonly onFailure: number | null;
    readonly finally: number | null;
  };
  /** For the host: everything about the workflow that is not the graph. */
  readonly host: PlanHost;
}

/** Parts of the workflow that only hosts read. Strings may hold `${{ … }}` templates where the definition allows them. */
export interface PlanHost {
  readonly description: string | null;
  /** JSON Schema (draft 2020-12) of the input, made from `inputs`. */
  readonly inputs: JsonObject;
  readonly env: JsonObject;
  /** Secret name -> where the worker reads it. */
  readonly secrets: { readonly [name: string]: { readonly env: string } | { readonly file: string } };
  readonly output: JsonValue | null;
  /** Limit over runs of this workflow. */
  readonly concurrency: {
    readonly group: string;
    readonly max: number;
    readonly onConflict: "queue" | "cancelRunning" | "reject";
  } | null;
  readonly priority: number;
  readonly schedule: JsonValue | null;
  /** Step types bound to commands by `types:`, by name. */
  readonly types: JsonObject;
}

export type FailureMode = "fail_all" | "complete_running" | "continue";

/** What makes an edge satisfied: see the table of edges in `kernel/edge.ts`. */
export type EdgeOn = "success" | "failure" | "settled" | "order";

/** Why the edge exists; shown by `braid plan` and in the `cycle` diagnostic. */
export type EdgeOrigin = "explicit" | "order" | "group" | "inferred";

/** `from -> to`. Both ends are steps of one list, except that `failure` and `settled` edges may leave a group. */
export interface PlanEdge {
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly on: EdgeOn;
  readonly origin: EdgeOrigin;
  /** Output port of the source; the edge is neutral when the source completed with other ports only. */
  readonly port: string | null;
}

/**
 * What a step does once its join has fired.
 * - `task`: an attempt of `handler` on a worker (the only kind that takes slots)
 * - `join`: nothing, completes at once; `sleep`, `signal`, `approval`, `child`: waits without a slot
 * - `block`: a scope of member steps (also a hidden group of marked steps)
 * - `phase`: hidden owner of `onSuccess`, `onFailure` or `finally`; `pool`: hidden owner of a shared cap (no life of its own)
 */
export type StepKind = "task" | "join" | "sleep" | "signal" | "approval" | "child" | "block" | "phase" | "pool";

export interface PlanJoin {
  readonly kind: "all" | "any" | "first" | "quorum" | "settled";
  /** Satisfied edges a quorum needs; 0 for other joins. */
  readonly quorum: number;
  /** Whether firing cancels the losers: true for `first`, and for a quorum with `cancelRest`. */
  readonly cancelRest: boolean;
}

/** Delays in milliseconds. The formula is `retryDelay` in `kernel/retry.ts`. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly delayMs: number;
  readonly backoff: "fixed" | "linear" | "exponential";
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Share of the delay that jitter may take away or add, 0 to 1. */
  readonly jitter: number;
  /** Error codes that are retried; null means every code that can be. */
  readonly on: readonly string[] | null;
}

/** At most `count` starts in `perMs` milliseconds, `burst` of them at once. */
export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
  readonly burst: number;
}

export interface PlanStep {
  readonly index: number;
  /** Unique in the workflow. Hidden steps have ids that no author can write (they hold a `/`). */
  readonly id: string;
  readonly name: string;
  readonly kind: StepKind;
  /** Hidden steps (groups, phases, pools) are not in the `steps` of any output. */
  readonly hidden: boolean;
  /** The scope this step is a member of. */
  readonly scope: number;
  /** Innermost scope whose slots its tasks take: its map scope, else its pool, else `scope`. */
  readonly slots: number;
  /** The scope it owns (block, phase, pool, map), or null. */
  readonly body: number | null;
  /** Whether it runs one task per item of `forEach`. Its `body` is then the map scope. */
  readonly isMap: boolean;
  /** Edge indexes in definition order. */
  readonly incoming: readonly number[];
  readonly outgoing: readonly number[];
  readonly join: PlanJoin;
  readonly whenUnmet: "skip" | "skipBranch" | "fail";
  /** `continue` is `continueOnError`. */
  readonly onError: "fail" | "continue" | "skipDependents";
  readonly retry: RetryPolicy;
  readonly priority: number;
  /** Steps on the longest path from here to the end, this one included; past durations replace it at `run.start`. */
  readonly rank: number;
  /** Whether the host must answer `evaluate` when the join fires (any control expression, or a map). */
  readonly evaluates: boolean;
  /** Whether the host must also answer `evaluate` for each item before it starts (child, signal or sleep in a map). */
  readonly evaluatesItems: boolean;
  /** Constants in milliseconds; an evaluation may override them. */
  readonly startDelayMs: number;
  readonly sleepMs: number;
  readonly timeoutMs: number | null;
  readonly deadlineMs: number | null;
  /** Signal name of `signal` (constant), else null. */
  readonly signal: string | null;
  readonly host: PlanStepHost;
}

/** Parts of a step that only hosts read. */
export interface PlanStepHost {
  readonly description: string | null;
  /**
   * Handler that runs an attempt: `command`, `http`, a registered type, or `workflow/step` of the builder. "" where the kind
   * needs none; `entrypoint` marks the join whose output is the run's input.
   */
  readonly handler: string;
  readonly queue: string;
  /** Control expressions by name, evaluated by the worker that commits. */
  readonly control: PlanControl;
  /** Payload templates, evaluated by the worker that runs the attempt. */
  readonly payload: PlanPayload;
  /** Shard of the shared context that a completed step writes: key -> template. */
  readonly set: JsonObject | null;
  /** JSON Schema of the output, or null. */
  readonly outputSchema: JsonObject | null;
  /** Key and size of a limit over runs. The key may be a template. */
  readonly concurrency: { readonly key: string; readonly max: number } | null;
  readonly resources: JsonObject | null;
  readonly runner: JsonObject | null;
  /** The label of a JSON graph's `groupId`. */
  readonly groupId: string | null;
  /** Steps whose outputs the templates name, so that a worker knows what to read: step indexes. */
  readonly reads: readonly number[];
}

/** Templates or, for the builder, `{ "$function": "workflow/step#items" }`. Absent means constant or not used. */
export interface PlanControl {
  readonly when?: string | PlanFunction;
  readonly items?: JsonValue | PlanFunction;
  /** Name under which payload expressions see the item, beside `item`. */
  readonly as?: string;
  readonly startDelay?: string;
  readonly sleep?: string | PlanFunction;
  readonly timeout?: string;
  readonly deadline?: string;
  readonly concurrencyKey?: string;
  readonly signal?: string;
  readonly workflow?: string;
  readonly childInput?: JsonValue | PlanFunction;
}

export interface PlanFunction {
  readonly $function: string;
}

/** What the handler gets, before its templates are evaluated. */
export interface PlanPayload {
  /** `with`: input of a registered type, of `http` and of functions. */
  readonly with?: JsonValue;
  /** `run`: a script for the shell. */
  readonly run?: string;
  /** `command`: text split into words, `!text` for a shell, or an argv list. */
  readonly command?: string | readonly string[];
  /** `params` of a command, turned into flags. */
  readonly params?: JsonObject;
  readonly env?: JsonObject;
  readonly shell?: string;
  readonly workingDirectory?: string;
  /** Message shown to the person who approves. */
  readonly message?: string;
}

/**
 * A set of members that share a cap, a rate, a timeout and a failure mode.
 * - `run`: the workflow's own list; `phase`: one of the lists beside it
 * - `block`: a parallel block or a hidden group; `map`: the items of a map step; `pool`: only a shared cap or rate
 */
export interface PlanScope {
  readonly index: number;
  readonly kind: "run" | "phase" | "block" | "map" | "pool";
  /** Step that owns the scope; -1 for the run. Its row holds the scope's counters. */
  readonly owner: number;
  /** Scope around this one, whose slots its tasks take too; -1 for the run. Phases and root members' pools stand in scope 0. */
  readonly parent: number;
  /** Member steps in definition order; empty for `map` and `pool`. Owners of phases and pools are members of no scope. */
  readonly members: readonly number[];
  readonly maxConcurrent: number | null;
  readonly rateLimit: RateLimit | null;
  readonly timeoutMs: number | null;
  readonly mode: FailureMode;
  /** Items of a map that may fail: a number of items or a share of them (0 to 100). */
  readonly tolerate: { readonly kind: "items" | "percent"; readonly value: number } | null;
}
