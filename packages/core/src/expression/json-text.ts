import { ExpressionFailure } from "./expression-failure.ts";
import { MAX_JSON_DEPTH, MAX_TEXT_BYTES } from "./limits.ts";

/**
 * The JSON text of a value. It is measured before it is written: a list may hold the same long text many times over, so
 * the text of a value can be far longer than the value. `indent` is 2 for `toJSON`, 0 where a value becomes part of a text.
 */
export function jsonText(value: unknown, indent: 0 | 2): string {
  checkJson(value);
  const text = JSON.stringify(value, null, indent);
  return checkTextLength(text);
}

/**
 * Fails unless the value is JSON data, at most 100 levels deep (which also ends cycles) and short enough to be written.
 * Data is plain objects, lists, texts, finite numbers, booleans and `null`.
 */
export function checkJson(value: unknown): void {
  let length = 0;
  const walk = (part: unknown, depth: number): void => {
    if (depth > MAX_JSON_DEPTH) throw new ExpressionFailure("limit", `a value is nested deeper than ${MAX_JSON_DEPTH}`);
    length += 1;
    if (typeof part === "string") length += part.length;
    if (length > MAX_TEXT_BYTES) throw textTooLong();
    if (Array.isArray(part)) {
      for (const item of part) walk(item, depth + 1);
    } else if (isPlainObject(part)) {
      for (const key of Object.keys(part)) {
        if (key === "__proto__") throw new ExpressionFailure("invalid", "a value has a member named `__proto__`");
        length += key.length;
        walk(part[key], depth + 1);
      }
    } else if (!isScalar(part)) {
      throw new ExpressionFailure("invalid", `a value holds ${nameOfForeign(part)}, which is not JSON data`);
    }
  };
  walk(value, 0);
}

/** Whether a value is an object of JSON. The prototype is compared by depth, because data may come from another realm. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What a value that is no JSON is called in a message. */
export function nameOfForeign(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "object" ? "an instance of a class" : `a ${typeof value}`;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** Returns the text, or fails when it has more than `maxBytes` bytes of UTF-8. */
export function checkTextLength(text: string, maxBytes: number = MAX_TEXT_BYTES): string {
  // A UTF-16 unit is one to three bytes, so most texts need no counting.
  if (text.length * 3 <= maxBytes) return text;
  if (text.length > maxBytes || utf8Length(text) > maxBytes) throw textTooLong(maxBytes);
  return text;
}

/** Fails when a text that is still to be built would be longer than any text may be. */
export function checkPlannedLength(length: number): void {
  if (length > MAX_TEXT_BYTES) throw textTooLong();
}

function textTooLong(maxBytes: number = MAX_TEXT_BYTES): ExpressionFailure {
  return new ExpressionFailure("limit", `the text would be longer than ${maxBytes} bytes`);
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
