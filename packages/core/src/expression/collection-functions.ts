import { ExpressionFailure } from "./expression-failure.ts";
import {
  type FunctionArguments,
  type FunctionSpec,
  MANY,
  checkListLength,
  integerArgument,
  listArgument,
  objectArgument,
  stringArgument,
  wrongKind,
} from "./function-spec.ts";
import { readOwn } from "./json-data.ts";
import { checkPlannedLength, isPlainObject, jsonText } from "./json-text.ts";
import { MAX_RANGE_ITEMS } from "./limits.ts";

/** Functions over lists and objects. None changes its arguments. */
export const collectionFunctions: readonly FunctionSpec[] = [
  { name: "length", minArgs: 1, maxArgs: 1, call: length },
  { name: "keys", minArgs: 1, maxArgs: 1, call: (args) => sortedKeys(args) },
  { name: "values", minArgs: 1, maxArgs: 1, call: values },
  // Also for `null`, like `??`: who asks for a default wants a value.
  {
    name: "default",
    minArgs: 2,
    maxArgs: 2,
    acceptsAbsent: true,
    call: ({ values: [value, other] }) => value ?? other,
  },
  { name: "has", minArgs: 2, maxArgs: 2, acceptsAbsent: true, call: has },
  { name: "first", minArgs: 1, maxArgs: 1, call: (args) => listArgument(args, 0)[0] },
  { name: "last", minArgs: 1, maxArgs: 1, call: (args) => listArgument(args, 0).at(-1) },
  { name: "concat", minArgs: 1, maxArgs: MANY, call: concat },
  { name: "flatten", minArgs: 1, maxArgs: 1, call: flatten },
  { name: "unique", minArgs: 1, maxArgs: 1, call: unique },
  { name: "range", minArgs: 1, maxArgs: 3, call: range },
];

function length(args: FunctionArguments): number {
  const value = args.values[0];
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  if (isPlainObject(value)) return Object.keys(value).length;
  throw wrongKind(args, 0, "a string, a list or an object");
}

/** Sorted, because stores may give an object's keys back in another order, and a map over them must not depend on it. */
function sortedKeys(args: FunctionArguments): string[] {
  return Object.keys(objectArgument(args, 0)).toSorted();
}

function values(args: FunctionArguments): unknown[] {
  const object = objectArgument(args, 0);
  return sortedKeys(args).map((key) => object[key]);
}

/** Whether an object has the member, be it `null`. What is not there at all has no members. */
function has(args: FunctionArguments): boolean {
  const holder = args.values[0];
  if (holder === undefined || holder === null) return false;
  return readOwn(objectArgument(args, 0), stringArgument(args, 1)) !== undefined;
}

/** Lists one after the other, or strings one after the other. */
function concat(args: FunctionArguments): unknown {
  if (typeof args.values[0] === "string") {
    const texts = args.values.map((_, index) => stringArgument(args, index));
    checkPlannedLength(texts.reduce((sum, text) => sum + text.length, 0));
    return texts.join("");
  }
  const lists = args.values.map((_, index) => listArgument(args, index));
  return joinLists(args, lists);
}

/** One level: lists inside the list give their items, everything else stays. */
function flatten(args: FunctionArguments): unknown[] {
  return joinLists(
    args,
    listArgument(args, 0).map((item) => (Array.isArray(item) ? item : [item])),
  );
}

function joinLists(args: FunctionArguments, lists: readonly (readonly unknown[])[]): unknown[] {
  checkListLength(
    args,
    lists.reduce((sum, list) => sum + list.length, 0),
  );
  return lists.flat();
}

/** The first of each equal item. Objects and lists are equal when their JSON text is. */
function unique(args: FunctionArguments): unknown[] {
  const seen = new Set<unknown>();
  return listArgument(args, 0).filter((item) => {
    // A scalar stands for itself; the space keeps the text of an object apart from a string with that text.
    const identity = typeof item === "object" && item !== null ? `json ${jsonText(item, 0)}` : scalarIdentity(item);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

function scalarIdentity(item: unknown): unknown {
  return typeof item === "string" ? `text ${item}` : item;
}

/** `range(end)`, `range(start, end)` or `range(start, end, step)`: the end is not in it. */
function range(args: FunctionArguments): number[] {
  const single = args.values.length === 1;
  const start = single ? 0 : integerArgument(args, 0);
  const end = integerArgument(args, single ? 0 : 1);
  const step = args.values.length === 3 ? integerArgument(args, 2) : 1;
  if (step === 0) throw new ExpressionFailure("invalid", "`range` expects a step that is not 0");
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (count > MAX_RANGE_ITEMS) {
    throw new ExpressionFailure("limit", `\`range\` would make ${count} items; at most ${MAX_RANGE_ITEMS} are allowed`);
  }
  return Array.from({ length: count }, (_, index) => start + index * step);
}
