import type { JsonObject, JsonValue } from "../json.ts";
import type { EdgeOn, FailureMode, PlanFunction, RateLimit } from "../plan/plan.ts";

/**
 * The one model behind YAML, JSON graph and builder: canonical camelCase keys, durations in milliseconds, every spelling
 * resolved. `normalize` makes it from parsed text, the builder makes it directly, and `compile` turns it into a plan.
 *
 * `at` is the JSON pointer of a node in the text it came from; diagnostics carry it, and `locate` turns it into line
 * and column.
 */
export interface Definition {
  readonly definitionVersion: 1;
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the input; per-name declarations are turned into one. */
  readonly inputs: JsonObject;
  readonly env: JsonObject;
  readonly secrets: { readonly [name: string]: { readonly env: string } | { readonly file: string } };
  readonly defaults: { readonly retry?: RetryDefinition; readonly timeout?: Duration };
  readonly parallel: { readonly maxConcurrent?: number; readonly rateLimit?: RateLimit };
  /** Mode of the run's own scope; `failFast` has been read into it. */
  readonly mode: FailureMode;
  /** Order of the main list, said outright; absent: the order rules decide. */
  readonly order?: "sequential" | "graph";
  readonly timeout?: Duration;
  readonly steps: readonly StepDefinition[];
  readonly onSuccess: readonly StepDefinition[];
  readonly onFailure: readonly StepDefinition[];
  readonly finally: readonly StepDefinition[];
  readonly output?: JsonValue | PlanFunction;
  readonly concurrency?: {
    readonly group: string;
    readonly max: number;
    readonly onConflict: "queue" | "cancelRunning" | "reject";
  };
  readonly priority: number;
  readonly schedule?: JsonValue;
  /** Step types bound to commands, by name. */
  readonly types: { readonly [name: string]: TypeDefinition };
  /** Shared caps and rates of a JSON graph's `groups`, by `groupId`. */
  readonly pools: { readonly [groupId: string]: { readonly maxConcurrent?: number; readonly rateLimit?: RateLimit } };
  readonly at: string;
}

/** Milliseconds, or a template that gives a duration. */
export type Duration = number | string;

export interface TypeDefinition {
  readonly run?: string;
  readonly command?: string | readonly string[];
  readonly env: JsonObject;
  readonly shell?: string;
  readonly workingDirectory?: string;
}

export interface RetryDefinition {
  readonly maxAttempts?: number;
  readonly delay?: number;
  readonly backoff?: "fixed" | "linear" | "exponential";
  readonly factor?: number;
  readonly maxDelay?: number;
  readonly jitter?: number;
  readonly on?: readonly string[];
}

/** `on` absent: success (explicit edge). `ref` is an id or a name as written. */
export interface DependencyDefinition {
  readonly ref: string;
  readonly on: Exclude<EdgeOn, "order">;
  /** Output port of the source (JSON graph). */
  readonly port?: string;
  readonly at: string;
}

export interface StepDefinition {
  /** As written, or made from `name`; unique in the whole workflow (checked by `compile`). */
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly action: ActionDefinition;
  /** Absent: no `dependsOn` key was written, which is not the same as an empty list. */
  readonly dependsOn?: readonly DependencyDefinition[];
  readonly join?: {
    readonly kind: "all" | "any" | "first" | "quorum" | "settled";
    readonly quorum: number;
    readonly cancelRest: boolean;
  };
  readonly when?: string | PlanFunction;
  readonly whenUnmet?: "skip" | "skipBranch" | "fail";
  readonly forEach?: MapDefinition;
  readonly retry?: RetryDefinition;
  readonly timeout?: Duration;
  readonly deadline?: Duration;
  readonly startDelay?: Duration;
  readonly onError?: "fail" | "continue" | "skipDependents";
  readonly priority?: number;
  readonly concurrency?: { readonly key: string; readonly max: number };
  readonly rateLimit?: RateLimit;
  readonly queue?: string;
  readonly resources?: JsonObject;
  readonly runner?: JsonObject;
  readonly env: JsonObject;
  readonly set?: JsonObject;
  /** JSON Schema of the output. */
  readonly output?: JsonObject;
  /** Mark of an order group: `parallel: true`, or the number of `parallelGroup`. Absent: unmarked. */
  readonly mark?: true | number;
  /** Label of a JSON graph's node. */
  readonly groupId?: string;
  readonly at: string;
}

export type ActionDefinition =
  | { readonly kind: "none" }
  | { readonly kind: "run"; readonly run: string; readonly shell?: string; readonly workingDirectory?: string }
  | {
      readonly kind: "command";
      readonly command: string | readonly string[];
      readonly params: JsonObject;
      readonly shell?: string;
      readonly workingDirectory?: string;
    }
  | {
      readonly kind: "type";
      readonly type: string;
      readonly with: JsonValue;
      readonly params?: JsonObject;
      readonly workingDirectory?: string;
    }
  /** A function of the builder; `handler` is `workflow/step`. */
  | { readonly kind: "function"; readonly handler: string }
  | { readonly kind: "workflow"; readonly workflow: string; readonly input: JsonValue | PlanFunction }
  | { readonly kind: "sleep"; readonly duration: Duration | PlanFunction }
  | { readonly kind: "approval"; readonly message?: string }
  | { readonly kind: "signal"; readonly signal: string }
  /** Completes at once with the run's input (JSON graph). */
  | { readonly kind: "entrypoint" }
  | { readonly kind: "parallel"; readonly block: BlockDefinition };

export interface BlockDefinition {
  readonly steps: readonly StepDefinition[];
  readonly mode?: FailureMode;
  readonly timeout?: Duration;
  readonly maxConcurrent?: number;
  readonly rateLimit?: RateLimit;
}

export interface MapDefinition {
  readonly items: JsonValue | PlanFunction;
  readonly as?: string;
  readonly maxConcurrent?: number;
  readonly rateLimit?: RateLimit;
  readonly mode?: FailureMode;
  readonly tolerate?: { readonly kind: "items" | "percent"; readonly value: number };
}
