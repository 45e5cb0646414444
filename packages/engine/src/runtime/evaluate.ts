import { evaluateCondition, evaluateValue, parseDuration } from "@braid/core";
import { messageOf } from "./errors.ts";
import { EvaluationFailure } from "./evaluated.ts";
import type { Evaluated } from "./evaluated.ts";
import type { StepScope } from "./step-scope.ts";
import type { ParsedValue } from "./templates.ts";

/** Calls a function of the builder by name; it throws if it has no value. */
export type CallFunction = (name: string) => unknown;

/** What evaluations need. `call` is absent where no functions stand. */
export interface Evaluator {
  readonly scope: StepScope;
  readonly call?: CallFunction;
}

/** The value of a template. A whole expression keeps its type; large values are not copied. */
export function evaluate(parsed: ParsedValue, evaluator: Evaluator): Evaluated {
  try {
    return evaluateParsed(parsed, evaluator);
  } catch (error) {
    if (error instanceof EvaluationFailure) return { ok: false, message: error.message };
    throw error;
  }
}

function evaluateParsed(parsed: ParsedValue, { scope, call }: Evaluator): Evaluated {
  switch (parsed.kind) {
    case "constant":
      return { ok: true, value: parsed.value };
    case "template": {
      const result = evaluateValue(parsed.compiled, scope);
      if (result.ok) return result;
      return { ok: false, message: result.pointer === "" ? result.message : `${result.pointer}: ${result.message}` };
    }
    case "condition":
      return evaluateCondition(parsed.template, scope);
    case "function":
      return callSafely(parsed.name, call);
    case "broken":
      return { ok: false, message: parsed.message };
    default:
      return parsed satisfies never;
  }
}

function callSafely(name: string, call: CallFunction | undefined): Evaluated {
  if (call === undefined) return { ok: false, message: `the function \`${name}\` cannot be called here` };
  try {
    const value = call(name);
    if (value instanceof Promise) {
      // Nobody waits for it, and its failure must not end the process.
      value.catch(() => {});
      return {
        ok: false,
        message: `the function \`${name}\` is asynchronous: do the work in a step, and read its output here`,
      };
    }
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: `the function \`${name}\` failed: ${messageOf(error)}` };
  }
}

/** Whether a condition holds: a function's answer counts as in JavaScript. */
export function evaluateWhen(parsed: ParsedValue, evaluator: Evaluator): Evaluated<boolean> {
  const result = evaluate(parsed, evaluator);
  return result.ok ? { ok: true, value: Boolean(result.value) } : result;
}

/** A duration in milliseconds. */
export function evaluateDuration(parsed: ParsedValue, evaluator: Evaluator): Evaluated<number> {
  const result = evaluate(parsed, evaluator);
  if (!result.ok) return result;
  const { value } = result;
  const milliseconds = typeof value === "number" || typeof value === "string" ? parseDuration(value) : undefined;
  if (milliseconds !== undefined) return { ok: true, value: milliseconds };
  return {
    ok: false,
    message: `it is not a duration such as \`500ms\`, \`2s\` or a number of seconds: ${shown(value)}`,
  };
}

export function evaluateName(parsed: ParsedValue, evaluator: Evaluator): Evaluated<string> {
  const result = evaluate(parsed, evaluator);
  if (!result.ok) return result;
  if (typeof result.value === "string" && result.value !== "") return { ok: true, value: result.value };
  return { ok: false, message: `it is not a name: ${shown(result.value)}` };
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? `\`${value}\`` : (JSON.stringify(value) ?? typeof value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
