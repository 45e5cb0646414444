import type { JsonObject, JsonValue } from "@braid/core";
import { isWellFormed, toStorableText } from "./storable-text.ts";

/** Deepest nesting of lists and objects in a payload. */
export const maxPayloadDepth = 100;

/** Largest payload in bytes of JSON, unless an engine is told otherwise. */
export const defaultMaxPayloadBytes = 1_048_576;

export type EncodedPayload =
  | {
      readonly ok: true;
      readonly json: string;
      /** A copy that owes nothing to the value given: equal to what `JSON.parse(json)` gives. */
      readonly value: JsonValue;
    }
  | { readonly ok: false; readonly message: string };

/**
 * Turns what a handler gave into JSON that every store keeps unchanged, or says what is wrong and where (a JSON pointer).
 *
 * Refused are values that JSON would change or drop in silence: NaN and infinite numbers, BigInt, functions, symbols,
 * objects with a class (Date, Map, Error …), missing list entries; and values that a store could not hold or that make
 * trouble for whoever reads them: `\u0000`, lone surrogates, keys named `__proto__`, nesting deeper than
 * `maxPayloadDepth` (a cycle is one), more than `maxBytes`. Members that are `undefined` are left out, `undefined` itself
 * is `null`, and members with a symbol as key are not seen.
 *
 * The value is walked once, every getter is called once, and the walk ends at the first fault or as soon as the size is
 * known to be too large, so that shared references cannot make it long. It never throws.
 */
export function encodePayload(value: unknown, options: { readonly maxBytes?: number } = {}): EncodedPayload {
  const maxBytes = options.maxBytes ?? defaultMaxPayloadBytes;
  const walk = new Walk(maxBytes);
  let copy: JsonValue | undefined;
  try {
    copy = walk.copy(value === undefined ? null : value, 0);
  } catch (error) {
    // A getter or a proxy of the value threw.
    walk.refuse(`could not be read: ${describeThrown(error)}`);
  }
  if (copy === undefined) return { ok: false, message: walk.message() };
  const json = JSON.stringify(copy);
  // A UTF-16 unit takes three bytes of UTF-8 at most, so the bytes of most payloads need not be counted.
  if (json.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(json);
    if (bytes > maxBytes) return { ok: false, message: tooLarge(copy, bytes, maxBytes) };
  }
  return { ok: true, json, value: copy };
}

/** One walk through a value. `copy` answers undefined once something has been refused. */
class Walk {
  /** Keys on the way to the value at hand; the first `#depth` of them count. */
  readonly #path: (string | number)[] = [];
  readonly #maxBytes: number;
  #depth = 0;
  /** At least as many bytes of JSON as seen so far. */
  #leastBytes = 0;
  #refusal: string | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  copy(value: unknown, depth: number): JsonValue | undefined {
    switch (typeof value) {
      case "string":
        return this.#checkText(value, "holds") ? value : undefined;
      case "number":
        if (!Number.isFinite(value)) return this.refuse(`is ${value}, which JSON cannot hold`);
        this.#leastBytes += 1;
        // JSON makes -0 a 0; adding 0 does too.
        return value + 0;
      case "boolean":
        this.#leastBytes += 4;
        return value;
      case "object":
        if (value === null) {
          this.#leastBytes += 4;
          return null;
        }
        if (depth >= maxPayloadDepth) {
          return this.refuse(`is nested deeper than ${maxPayloadDepth} levels, or refers to itself`);
        }
        return Array.isArray(value) ? this.#copyList(value, depth) : this.#copyObject(value, depth);
      default:
        return this.refuse(`is a ${typeof value}, which JSON cannot hold`);
    }
  }

  refuse(reason: string): undefined {
    this.#refusal ??= reason;
    return undefined;
  }

  message(): string {
    const pointer = this.#path.slice(0, this.#depth).map((key) => `/${escapeKey(String(key))}`);
    const place = pointer.length === 0 ? "The value" : `The value at \`${cut(pointer.join(""))}\``;
    return `${place} ${this.#refusal ?? "is not JSON"}.`;
  }

  #copyList(list: readonly unknown[], depth: number): readonly JsonValue[] | undefined {
    const copies: JsonValue[] = [];
    for (let index = 0; index < list.length; index += 1) {
      this.#enter(depth, index);
      const entry = list[index];
      if (entry === undefined) return this.refuse("is undefined, which a list in JSON cannot hold");
      const copy = this.copy(entry, depth + 1);
      if (copy === undefined || this.#isTooLarge()) return undefined;
      copies.push(copy);
    }
    this.#depth = depth;
    this.#leastBytes += 2 + Math.max(0, list.length - 1);
    return copies;
  }

  #copyObject(object: object, depth: number): JsonObject | undefined {
    if (!isPlain(object)) return this.refuse(`is ${classOf(object)}, which JSON cannot hold. Convert it first`);
    const copies: Record<string, JsonValue> = {};
    for (const key of Object.keys(object)) {
      this.#enter(depth, key);
      const member: unknown = (object as Record<string, unknown>)[key];
      if (member === undefined) continue;
      if (key === "__proto__") return this.refuse("has a key that is not allowed");
      if (!this.#checkText(key, "has a key that holds")) return undefined;
      const copy = this.copy(member, depth + 1);
      if (copy === undefined || this.#isTooLarge()) return undefined;
      copies[key] = copy;
      this.#leastBytes += 2;
    }
    this.#depth = depth;
    this.#leastBytes += 1;
    return copies;
  }

  #enter(depth: number, key: string | number): void {
    this.#path[depth] = key;
    this.#depth = depth + 1;
  }

  #checkText(text: string, verb: string): boolean {
    this.#leastBytes += text.length + 2;
    // Before the text is looked at: a string of 300 MB is refused without reading it.
    if (this.#isTooLarge()) return false;
    if (!isWellFormed(text)) this.refuse(`${verb} a lone surrogate (half a character), which no store can keep`);
    else if (text.includes("\0")) this.refuse(`${verb} the character \\u0000, which no store can keep`);
    else return true;
    return false;
  }

  #isTooLarge(): boolean {
    if (this.#leastBytes <= this.#maxBytes) return false;
    this.refuse(`brings the payload above its limit of ${this.#maxBytes} bytes of JSON. Pass large data by reference`);
    return true;
  }
}

/** `{…}`, an object without a prototype, or one of another realm: anything whose prototype is the end of its chain. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function classOf(object: object): string {
  const name: unknown = object.constructor?.name;
  return typeof name === "string" && name !== "" ? `an object of class \`${cut(name)}\`` : "an object with a class";
}

function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** For parts of messages, which have to be storable themselves. */
function cut(text: string): string {
  return toStorableText(text, 200);
}

function describeThrown(error: unknown): string {
  try {
    return cut(error instanceof Error ? error.message : String(error));
  } catch {
    return "an error that cannot be shown";
  }
}

/** Names the size, the limit and the innermost value that makes up more than half of the whole. */
function tooLarge(value: JsonValue, bytes: number, maxBytes: number): string {
  let pointer = "";
  let at: JsonValue | undefined = value;
  while (typeof at === "object" && at !== null) {
    const heavy: [string, JsonValue] | undefined = Object.entries(at).find(
      ([, member]) => Buffer.byteLength(JSON.stringify(member)) > bytes / 2,
    );
    if (heavy === undefined) break;
    pointer += `/${escapeKey(heavy[0])}`;
    at = heavy[1];
  }
  const place = pointer === "" ? "" : `, most of them at \`${cut(pointer)}\``;
  return `The value is ${bytes} bytes of JSON${place}; the limit is ${maxBytes}. Pass large data by reference.`;
}
