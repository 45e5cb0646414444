import type { JsonValue } from "../json.ts";

/** A text with an expression in it. */
export type Template = `${string}\${{${string}`;

/** Whether a text holds an expression, so that its value is known only when a run evaluates it. */
export function isTemplate(value: JsonValue): value is Template {
  return typeof value === "string" && value.includes("${{");
}
