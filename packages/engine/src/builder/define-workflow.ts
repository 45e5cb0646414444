import type { StandardSchemaV1 } from "@standard-schema/spec";
import { normalize } from "@braid/core";
import type { ActionDefinition, Definition, JsonObject, MapDefinition, StepDefinition } from "@braid/core";
import { InvalidDefinition } from "../runtime/errors.ts";
import type { WorkflowOptions } from "./types.ts";
import type { Collected, Part } from "./parts.ts";

/** What a builder has collected: steps as a file would write them, and the functions that stand where a file has text. */
export interface Source {
  readonly name: string;
  readonly settings: WorkflowOptions;
  readonly last: Part | null;
  readonly lists: { readonly [key in "finally" | "onSuccess" | "onFailure"]?: readonly JsonObject[] };
  readonly inputSchema: StandardSchemaV1 | null;
}

/**
 * The definition of a built workflow: read like a file's, so that both have one meaning, and then the functions put where
 * they belong. A file cannot do that: text never names a function.
 */
export function defineWorkflow(source: Source, { steps, functions }: Collected): Definition {
  const { maxConcurrent, rateLimit, secrets, ...settings } = source.settings;
  const limits = withoutUndefined({ maxConcurrent, rateLimit });
  const parallel = Object.keys(limits).length === 0 ? {} : { parallel: limits };
  const written = withoutUndefined({
    ...settings,
    ...parallel,
    name: source.name,
    secrets,
    steps,
    ...source.lists,
  });
  const { definition, diagnostics } = normalize(written);
  if (definition === null) throw new InvalidDefinition(source.name, diagnostics);
  const inputs = inputSchema(source.inputSchema);
  const named: Named = { name: source.name, functions };
  const place = (list: readonly StepDefinition[]): readonly StepDefinition[] =>
    list.map((step) => withFunctions(step, named));
  const output = `${source.name}#output`;
  return {
    ...definition,
    ...(inputs === null ? {} : { inputs }),
    steps: place(definition.steps),
    onSuccess: place(definition.onSuccess),
    onFailure: place(definition.onFailure),
    finally: place(definition.finally),
    ...(functions.has(output) ? { output: { $function: output } } : {}),
  };
}

/**
 * Functions of a workflow by name: `workflow/step`, with `#when`, `#items` or `#with` for its control expressions, and
 * `workflow#output`.
 */
interface Named {
  readonly name: string;
  readonly functions: Collected["functions"];
}

function withFunctions(step: StepDefinition, source: Named): StepDefinition {
  const name = `${source.name}/${step.id}`;
  const has = (suffix: string): boolean => source.functions.has(name + suffix);
  const forEach: MapDefinition | undefined = step.forEach;
  return {
    ...step,
    action: actionOf(step.action, source, name),
    ...(has("#when") ? { when: { $function: `${name}#when` } } : {}),
    ...(forEach !== undefined && has("#items")
      ? { forEach: { ...forEach, items: { $function: `${name}#items` } } }
      : {}),
  };
}

function actionOf(action: ActionDefinition, source: Named, name: string): ActionDefinition {
  if (action.kind === "type" && action.type === name) return { kind: "function", handler: name };
  if (action.kind === "workflow" && source.functions.has(`${name}#with`)) {
    return { ...action, input: { $function: `${name}#with` } };
  }
  if (action.kind !== "parallel") return action;
  const steps = action.block.steps.map((step) => withFunctions(step, source));
  return { ...action, block: { ...action.block, steps } };
}

/** JSON Schema of the input, from libraries that can tell it (Standard JSON Schema); others check it by themselves only. */
function inputSchema(schema: StandardSchemaV1 | null): JsonObject | null {
  const standard = schema?.["~standard"] as
    | { jsonSchema?: { input(options: { target: string }): Record<string, unknown> } }
    | undefined;
  if (standard?.jsonSchema === undefined) return null;
  try {
    return standard.jsonSchema.input({ target: "draft-2020-12" }) as JsonObject;
  } catch {
    // The library says that this schema has no JSON form; `inputSchema` still checks every input.
    return null;
  }
}

const withoutUndefined = (value: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as JsonObject;
