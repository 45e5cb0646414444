import type { JsonValue } from "../json.ts";

/** Whether a text holds an expression, so that its value is known only when a run evaluates it. */
export function isTemplate(value: JsonValue): value is string {
  return typeof value === "string" && value.includes("${{");
}
