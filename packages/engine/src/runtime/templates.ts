import { compileValue, isProblems, parseCondition } from "@braid/core";
import type { CompiledValue, JsonValue, PlanFunction, Template } from "@braid/core";

/** What templates name beside inputs: what has to be at hand before they are evaluated. */
export interface Reads {
  /** Steps by id or name, as written. */
  readonly steps: ReadonlySet<string>;
  readonly context: boolean;
}

/** A value of the plan, parsed once: text with expressions, or the name of a function of the builder. */
export type ParsedValue =
  | { readonly kind: "constant"; readonly value: JsonValue }
  | { readonly kind: "template"; readonly compiled: CompiledValue; readonly reads: Reads }
  | { readonly kind: "condition"; readonly template: Template; readonly reads: Reads }
  | { readonly kind: "function"; readonly name: string }
  /** What the compiler would have refused. */
  | { readonly kind: "broken"; readonly message: string };

export const NO_READS: Reads = { steps: new Set(), context: false };

/** Parses a value; `as` is the second name of the item, if it has one. */
export function parseValue(value: JsonValue | PlanFunction, as: string | undefined): ParsedValue {
  if (isFunction(value)) return { kind: "function", name: value.$function };
  const compiled = compileValue(value, optionsOf(as));
  const error = compiled.problems.find(({ severity }) => severity === "error");
  if (error !== undefined) return { kind: "broken", message: error.message };
  if (compiled.isConstant) return { kind: "constant", value };
  return { kind: "template", compiled, reads: readsOf(compiled.references) };
}

/** Parses a condition: an expression with or without `${{ }}` around it. */
export function parseWhen(value: string | PlanFunction, as: string | undefined): ParsedValue {
  if (isFunction(value)) return { kind: "function", name: value.$function };
  const template = parseCondition(value, optionsOf(as));
  if (isProblems(template)) return { kind: "broken", message: template[0]?.message ?? "it is not an expression" };
  return { kind: "condition", template, reads: readsOf(template.references) };
}

/** What several values read together. */
export function joinReads(values: Iterable<ParsedValue>): Reads {
  const steps = new Set<string>();
  let context = false;
  for (const value of values) {
    if (value.kind !== "template" && value.kind !== "condition") continue;
    for (const step of value.reads.steps) steps.add(step);
    context ||= value.reads.context;
  }
  return steps.size === 0 && !context ? NO_READS : { steps, context };
}

export function readsOf(references: Iterable<{ readonly context: string; readonly path: readonly string[] }>): Reads {
  const steps = new Set<string>();
  let context = false;
  for (const reference of references) {
    const [name] = reference.path;
    if (reference.context === "steps" && name !== undefined) steps.add(name);
    else if (reference.context === "context") context = true;
  }
  return steps.size === 0 && !context ? NO_READS : { steps, context };
}

function isFunction(value: JsonValue | PlanFunction): value is PlanFunction {
  return typeof value === "object" && value !== null && "$function" in value && typeof value.$function === "string";
}

const optionsOf = (as: string | undefined): { extraContexts?: readonly string[] } =>
  as === undefined ? {} : { extraContexts: [as] };
