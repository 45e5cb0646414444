import { createHash } from "node:crypto";
import type { JsonValue } from "@braid/core";

/**
 * SHA-256 of the canonical JSON of a value, in hexadecimal: the same for equal values, whatever the order of their
 * keys.
 */
export function hashJson(value: JsonValue): string {
  const parts: string[] = [];
  write(value, (text) => parts.push(text));
  return createHash("sha256").update(parts.join("")).digest("hex");
}

function write(value: JsonValue, emit: (text: string) => void): void {
  if (typeof value !== "object" || value === null) {
    emit(JSON.stringify(value));
    return;
  }
  if (Array.isArray(value)) {
    emit("[");
    for (const [index, item] of (value as readonly JsonValue[]).entries()) {
      if (index > 0) emit(",");
      write(item, emit);
    }
    emit("]");
    return;
  }
  let mark = "{";
  for (const [key, member] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (member === undefined) continue;
    emit(`${mark}${JSON.stringify(key)}:`);
    write(member, emit);
    mark = ",";
  }
  emit(mark === "{" ? "{}" : "}");
}
