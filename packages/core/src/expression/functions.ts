import { collectionFunctions } from "./collection-functions.ts";
import type { FunctionSpec } from "./function-spec.ts";
import { numberFunctions, toStringFunction } from "./number-functions.ts";
import { textFunctions } from "./text-functions.ts";

/**
 * `case(condition, value, …, otherwise)`. The evaluator computes it itself, so that only the chosen value has to exist;
 * the entry states its name and its arguments, whose number is odd.
 */
export const CASE_FUNCTION = "case";

const specs: readonly FunctionSpec[] = [...numberFunctions, toStringFunction, ...textFunctions, ...collectionFunctions];

const byName: ReadonlyMap<string, FunctionSpec> = new Map(specs.map((spec) => [spec.name.toLowerCase(), spec]));

/** The names of all functions, as they are written, in the order in which they are defined. */
export const FUNCTION_NAMES: readonly string[] = [...specs.map((spec) => spec.name), CASE_FUNCTION];

/** A function by name, whatever its case. */
export function findFunction(name: string): FunctionSpec | undefined {
  return byName.get(name.toLowerCase());
}

/** What a parser has to know of each function: its name and how many arguments it takes. */
export const functionSignatures: readonly Pick<FunctionSpec, "name" | "minArgs" | "maxArgs">[] = specs;

/** Whether a step starts is said by its edges and its join, not by an expression: one place, visible in the graph. */
const STATUS_HINT =
  "write `dependsOn: [{step: build, on: failure}]` for a step that runs when another failed, " +
  "`join: settled` for one that runs whatever happened, or put it under `finally:`";

/** What to write instead of functions that other languages have and this one refuses. */
const replacements: ReadonlyMap<string, string> = new Map([
  ["success", STATUS_HINT],
  ["failure", STATUS_HINT],
  ["always", STATUS_HINT],
  ["cancelled", STATUS_HINT],
  ["canceled", STATUS_HINT],
  ["hashfiles", "expressions read no files: compute the hash in a step and use its output"],
  ["env", "write `env.NAME`"],
  ["len", "write `length(…)`"],
  ["size", "write `length(…)`"],
  ["count", "write `length(…)`"],
  ["coalesce", "write `default(value, other)` or `value || other`"],
  ["substring", "cut the text in a step, or use `split` and `replace`"],
  ["not", "write `!value`"],
  ["and", "write `a && b`"],
  ["or", "write `a || b`"],
  ["eq", "write `a == b`"],
  ["ne", "write `a != b`"],
  ["if", "write `case(condition, value, otherwise)`"],
]);

/** What to write instead of a function that does not exist, where that is known. */
export function replacementOf(name: string): string | undefined {
  return replacements.get(name.toLowerCase());
}
