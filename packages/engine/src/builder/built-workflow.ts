import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Definition, JsonObject } from "@braid/core";

/** A workflow in code: its definition, and the functions that the definition names. */
export interface BuiltWorkflow<Input = JsonObject, Output = unknown> {
  readonly kind: "workflow";
  readonly definition: Definition;
  readonly functions: ReadonlyMap<string, (context: never) => unknown>;
  /** Checks a run's input where a schema was given. */
  readonly inputSchema: StandardSchemaV1<unknown, Input> | null;
  /** Built workflows that steps run as children; registered with this one. */
  readonly children: readonly ChildWorkflow<unknown>[];
  /** Never set: it carries the type of the run's output. */
  readonly outputType?: Output;
}

/** A built workflow as a step sees it, whatever its input is. */
export type ChildWorkflow<Output> = Pick<
  BuiltWorkflow<never, Output>,
  "kind" | "definition" | "functions" | "children" | "outputType"
>;
