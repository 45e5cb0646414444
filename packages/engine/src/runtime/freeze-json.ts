import type { JsonValue } from "@braid/core";

/** Freezes a JSON value with everything in it: several handlers may be given the same one. */
export function freezeJson<Value extends JsonValue>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) freezeJson(member);
  return value;
}
