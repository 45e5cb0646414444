import { ExpressionEvaluator, type ExpressionScope } from "./evaluator.ts";
import { ExpressionFailure, type FailureReason } from "./expression-failure.ts";
import { AbsentData, textOf, unwrap } from "./json-data.ts";
import { checkTextLength } from "./json-text.ts";
import { type ExpressionData, falsy } from "./library.ts";
import { MAX_TEXT_BYTES } from "./limits.ts";
import type { Expression } from "./parse-expression.ts";
import type { Template, TemplatePart } from "./parse-template.ts";

/** What an evaluation gave. A failure is data: the caller knows which error code it is at its place. */
export type Evaluation<Value = unknown> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: FailureReason; readonly message: string };

/** Limits of an evaluation. */
export interface EvaluateOptions {
  /** Longest text that a template may give, in bytes of UTF-8; 1 MiB unless said. */
  readonly maxTextBytes?: number;
}

/**
 * Evaluates a template. A string that is one whole expression keeps the type of its value, and large values are passed
 * on without a copy; several parts become one text. An expression whose value is undefined is a failure.
 */
export function evaluateTemplate(
  template: Template,
  scope: ExpressionScope,
  options: EvaluateOptions = {},
): Evaluation {
  const maxBytes = options.maxTextBytes ?? MAX_TEXT_BYTES;
  return attempt(() => {
    const [only] = template.parts;
    if (template.parts.length !== 1 || only === undefined) return joinParts(template.parts, scope, maxBytes);
    const value = partValue(only, scope);
    return typeof value === "string" ? checkTextLength(value, maxBytes) : value;
  });
}

/**
 * Evaluates a template to a text that can be an argument or an environment variable of a process: objects and lists as
 * JSON, `null` as nothing. A NUL character is a failure, because the text would end there.
 */
export function evaluateText(
  template: Template,
  scope: ExpressionScope,
  options: EvaluateOptions = {},
): Evaluation<string> {
  const maxBytes = options.maxTextBytes ?? MAX_TEXT_BYTES;
  return attempt(() => {
    const text = joinParts(template.parts, scope, maxBytes);
    if (!text.includes("\0")) return text;
    throw new ExpressionFailure(
      "invalid",
      "the text holds a NUL character, which no argument or variable of a process can",
    );
  });
}

/** Evaluates a condition: false for `false`, `null`, 0, NaN and the empty text, true for everything else. */
export function evaluateCondition(condition: Template, scope: ExpressionScope): Evaluation<boolean> {
  return attempt(() => {
    const [only] = condition.parts;
    if (condition.parts.length === 1 && only?.kind === "expression")
      return !falsy(expressionValue(only.expression, scope));
    return joinParts(condition.parts, scope, MAX_TEXT_BYTES) !== "";
  });
}

function joinParts(parts: readonly TemplatePart[], scope: ExpressionScope, maxBytes: number): string {
  let text = "";
  for (const part of parts) {
    text += part.kind === "text" ? part.text : textOf(partValue(part, scope));
    // Bytes are counted once, at the end; a text with more units than bytes are allowed is too long already.
    if (text.length > maxBytes) break;
  }
  return checkTextLength(text, maxBytes);
}

function partValue(part: TemplatePart, scope: ExpressionScope): unknown {
  if (part.kind === "text") return part.text;
  const value = unwrap(expressionValue(part.expression, scope));
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  throw new ExpressionFailure("invalid", `\`${part.expression.source.trim()}\` gives ${value}, which is not JSON`);
}

function expressionValue(expression: Expression, scope: ExpressionScope): ExpressionData {
  const value = new ExpressionEvaluator(expression.tree, scope).evaluate();
  if (value instanceof AbsentData) throw new ExpressionFailure("unresolved", value.describe());
  return value;
}

/** Turns a failure into data. Every other exception is a fault of the host's scope or of this code, and passes. */
function attempt<Value>(evaluate: () => Value): Evaluation<Value> {
  try {
    return { ok: true, value: evaluate() };
  } catch (error) {
    if (!(error instanceof ExpressionFailure)) throw error;
    return { ok: false, reason: error.reason, message: error.message };
  }
}
