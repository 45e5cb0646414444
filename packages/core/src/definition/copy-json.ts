import type { JsonValue } from "../json.ts";
import { printable, quote } from "./describe.ts";
import { memberPointer } from "./pointer.ts";
import type { Reading } from "./reading.ts";

/** Deepest nesting of a definition, counted in lists and mappings around a value. */
export const MAX_DEPTH = 100;

/** Most values of one definition: shared references of a hostile object would multiply without end. */
const MAX_VALUES = 1_000_000;

/** Keys that reach into the prototype of an object once somebody copies it carelessly. */
const REFUSED_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/** Whether a name or key is one that no definition may use. */
export function isRefusedKey(key: string): boolean {
  return REFUSED_KEYS.has(key);
}

/**
 * Copies any value as JSON and reports what is not: functions and class instances, numbers and text that JSON or a database
 * cannot hold, keys that reach into prototypes, nesting beyond {@link MAX_DEPTH} and values that contain themselves. Members
 * that are undefined are left out. Undefined when nothing is left.
 */
export function copyJson(reading: Reading, value: unknown): JsonValue | undefined {
  return copyValue({ reading, values: 0, around: [] }, value, "");
}

interface Copy {
  readonly reading: Reading;
  values: number;
  /** Objects around the current value, outermost first. */
  readonly around: object[];
}

function copyValue(copy: Copy, value: unknown, at: string): JsonValue | undefined {
  copy.values += 1;
  if (copy.values > MAX_VALUES) return copy.values > MAX_VALUES + 1 ? undefined : refuse(copy, at, TOO_MANY_VALUES);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return isStorableText(value) ? value : refuse(copy, at, { problem: UNSTORABLE });
  if (typeof value === "number") return copyNumber(copy, value, at);
  if (typeof value === "object") return copyObject(copy, value, at);
  // Only an item of a list can be undefined here: members that are undefined are absent.
  return refuse(copy, at, { problem: `holds a ${typeof value}, which is not JSON` });
}

const UNSTORABLE = "holds a character that cannot be stored: NUL or half of a surrogate pair";

/** Half of a surrogate pair, whole or not: cheap to look for, and rare. */
const SURROGATE = /[\ud800-\udfff]/;

/** Whether every store can keep the text. */
function isStorableText(text: string): boolean {
  return !text.includes("\u0000") && !(SURROGATE.test(text) && /\p{Surrogate}/u.test(text));
}

function copyNumber(copy: Copy, value: number, at: string): JsonValue | undefined {
  if (!Number.isFinite(value)) return refuse(copy, at, { problem: `holds ${value}, which is not JSON` });
  return value === 0 ? 0 : value;
}

function copyObject(copy: Copy, value: object, at: string): JsonValue | undefined {
  if (copy.around.includes(value)) return refuse(copy, at, { problem: "contains itself" });
  if (copy.around.length >= MAX_DEPTH) {
    return refuse(copy, at, { code: "limit_exceeded", problem: `is nested deeper than ${MAX_DEPTH} levels` });
  }
  if (!Array.isArray(value) && !isPlainObject(value)) {
    return refuse(copy, at, { problem: "is an object with a class of its own, which is not JSON" });
  }
  copy.around.push(value);
  const result = Array.isArray(value) ? copyList(copy, value, at) : copyMembers(copy, value, at);
  copy.around.pop();
  return result;
}

function copyList(copy: Copy, list: readonly unknown[], at: string): JsonValue {
  // An item that is refused leaves a hole, so that the pointers of the items after it stay right.
  return Array.from(list, (item, index) => copyValue(copy, item, memberPointer(at, index)) ?? null);
}

function copyMembers(copy: Copy, object: object, at: string): JsonValue {
  const result: { [key: string]: JsonValue } = {};
  for (const [key, member] of Object.entries(object)) {
    if (member === undefined) continue;
    const path = memberPointer(at, key);
    if (isRefusedKey(key)) {
      const message = `The key ${quote(key)} is not allowed: it could change how objects behave.`;
      copy.reading.error({ code: "invalid_value", message, hint: "Choose another name.", path, part: "key" });
    } else if (isStorableText(key)) {
      const copied = copyValue(copy, member, path);
      if (copied !== undefined) result[key] = copied;
    } else {
      refuse(copy, path, { problem: UNSTORABLE });
    }
  }
  return result;
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const TOO_MANY_VALUES = { code: "limit_exceeded", problem: `holds more than ${MAX_VALUES} values` } as const;

interface Refusal {
  readonly code?: "limit_exceeded";
  readonly problem: string;
}

function refuse(copy: Copy, path: string, { code, problem }: Refusal): undefined {
  const subject = path === "" ? "The definition" : `The value at \`${printable(path.slice(0, 200))}\``;
  copy.reading.error({ code: code ?? "invalid_value", message: `${subject} ${problem}.`, path });
}
