import type { JsonValue } from "../json.ts";
import { isList, isObject } from "./fields.ts";

/** Whether two values of JSON are the same; the order of keys has no meaning. */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  if (isList(a) && isList(b))
    return a.length === b.length && a.every((item, index) => isSameJson(item, b[index] ?? null));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  const hasSameKeys = keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key));
  return hasSameKeys && keys.every((key) => isSameJson(a[key] ?? null, b[key] ?? null));
}
