import { isAlias, isMap, isPair, isScalar, isSeq, Scalar } from "yaml";
import type { Node, YAMLMap, YAMLSeq } from "yaml";
import type { JsonValue } from "../json.ts";
import { quote } from "./describe.ts";
import { isSameKey } from "./meaning.ts";
import { memberPointer, pointerSegments } from "./pointer.ts";
import type { LocatePart, Place, Reading } from "./reading.ts";
import type { Source } from "./source.ts";

/**
 * The value of a tree, with what YAML would hide reported: keys that are written twice, numbers that are not what they look
 * like, aliases and merge keys. Keys are kept as they are; `copyJson` refuses those that are dangerous.
 */
export function readSourceValue(reading: Reading, source: Source): JsonValue {
  const { root } = source;
  return root === null ? null : valueOf({ reading, source }, root, "");
}

interface Walk {
  readonly reading: Reading;
  readonly source: Source;
}

function valueOf(walk: Walk, node: Node | null, at: string): JsonValue {
  if (isScalar(node)) return scalarOf(walk, node, at);
  if (isSeq(node)) return node.items.map((item, index) => valueOf(walk, item as Node | null, memberPointer(at, index)));
  if (isMap(node)) return mappingOf(walk, node, at);
  if (isAlias(node)) {
    const message = `Aliases such as ${quote(`*${node.source}`)} are not supported.`;
    const hint = "Write the value out, or use `defaults:` for what all steps share.";
    walk.reading.error({ code: "yaml_syntax", message, hint, path: at, ...placeOf(walk, node) });
  }
  return null;
}

function placeOf(walk: Walk, node: Node | null): { readonly place?: Place } {
  const offset = node?.range?.[0];
  return offset === undefined ? {} : { place: walk.source.placeAt(offset) };
}

function mappingOf(walk: Walk, map: YAMLMap, at: string): JsonValue {
  const members = new Map<string, JsonValue>();
  const firstKeys = new Map<string, Node>();
  for (const pair of map.items) {
    const key = keyOf(pair);
    if (key === undefined) continue;
    const path = memberPointer(at, key.text);
    const first = firstKeys.get(key.text);
    if (key.isMerge) {
      const message = "Merge keys (`<<`) are not supported.";
      walk.reading.error({
        code: "yaml_syntax",
        message,
        hint: "Write the keys out.",
        path,
        ...placeOf(walk, key.node),
      });
    } else if (first === undefined) {
      firstKeys.set(key.text, key.node);
      members.set(key.text, valueOf(walk, pair.value as Node | null, path));
    } else {
      const line = placeOf(walk, first).place?.line ?? 1;
      const message = `The key ${quote(key.text)} is written twice; the first time in line ${line}.`;
      walk.reading.error({
        code: "duplicate_key",
        message,
        hint: "Keep one of them.",
        path,
        ...placeOf(walk, key.node),
      });
    }
  }
  // Makes members of its own out of every key, where an assignment to `__proto__` would change the object instead.
  return Object.fromEntries(members);
}

interface Key {
  readonly node: Node;
  readonly text: string;
  readonly isMerge: boolean;
}

function keyOf(pair: YAMLMap["items"][number]): Key | undefined {
  const node = pair.key;
  if (!isScalar(node)) return undefined;
  // The parser makes every key a text; a key without one is empty.
  const text = typeof node.value === "string" ? node.value : "";
  return { node, text, isMerge: text === "<<" && node.type === Scalar.PLAIN };
}

function scalarOf(walk: Walk, node: Scalar, at: string): JsonValue {
  const { value } = node;
  if (typeof value === "number") warnAboutNumber(walk, node, { at, value });
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return null;
}

/** Numbers whose digits do not say what the number is. */
function warnAboutNumber(
  walk: Walk,
  node: Scalar,
  { at, value }: { readonly at: string; readonly value: number },
): void {
  const written = node.source ?? "";
  const hint = `Put it in quotes if it is a text: \`"${written.slice(0, 40)}"\`.`;
  if (/^[-+]?0\d+$/.test(written)) {
    const message = `${quote(written)} is read as the number ${value}.`;
    walk.reading.warning({ code: "invalid_value", message, hint, path: at, ...placeOf(walk, node) });
  } else if (/^[-+]?\d+$|^0[xo]/.test(written) && !Number.isSafeInteger(value)) {
    const message = `${quote(written)} is too large to be exact and is read as ${value}.`;
    walk.reading.warning({ code: "invalid_value", message, hint, path: at, ...placeOf(walk, node) });
  }
}

/** Finds places in a text by JSON pointer. A canonical key is found under any of its spellings. */
export function locateIn(source: Source): LocatePart {
  return (pointer, part) => {
    let node: Node | null = source.root;
    let key: Node | null = null;
    for (const segment of pointerSegments(pointer)) {
      const step = stepInto(node, segment);
      if (step === undefined) return undefined;
      ({ node, key } = step);
    }
    const offset = startOf(node, part === "key" || isBelowItsKey(node) ? key : null);
    return offset === undefined ? undefined : source.placeAt(offset);
  };
}

interface Found {
  readonly node: Node | null;
  readonly key: Node | null;
}

function stepInto(node: Node | null, segment: string): Found | undefined {
  if (isSeq(node)) return itemAt(node, segment);
  if (!isMap(node)) return undefined;
  const pairs = node.items.filter(isPair);
  const exact = pairs.find((pair) => keyOf(pair)?.text === segment);
  const pair = exact ?? pairs.find((candidate) => isSameKey(keyOf(candidate)?.text ?? "", segment));
  return pair && { node: pair.value as Node | null, key: pair.key as Node };
}

function itemAt(list: YAMLSeq, segment: string): Found | undefined {
  if (!/^\d+$/.test(segment)) return undefined;
  const item = list.items[Number(segment)];
  return item === undefined ? undefined : { node: item as Node | null, key: null };
}

/** A block starts on the line below its key, and a value that is missing starts nowhere: both are shown at the key. */
function isBelowItsKey(node: Node | null): boolean {
  if (node === null) return true;
  if (isScalar(node)) return node.source === "" && node.type === Scalar.PLAIN;
  return (isMap(node) || isSeq(node)) && node.flow !== true;
}

function startOf(node: Node | null, key: Node | null): number | undefined {
  return (key ?? node)?.range?.[0];
}
