import { ExpressionFailure } from "./expression-failure.ts";
import { kindOf } from "./json-data.ts";
import { MAX_LIST_ITEMS } from "./limits.ts";

/** A pure function of the expression language, over JSON values. */
export interface FunctionSpec {
  /** As it is written; calls may spell it in any case. */
  readonly name: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  /** Whether arguments may be `undefined`. Without it an absent member as an argument is a failure. */
  readonly acceptsAbsent?: boolean;
  /** `undefined` means that there is no value, as with the first item of an empty list. */
  readonly call: (args: FunctionArguments) => unknown;
}

/** The arguments of one call, with the name that messages give. */
export interface FunctionArguments {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** Most arguments of the functions that take any number: the limit of the library's `format`. */
export const MANY = 255;

/** The argument as a finite number. Texts are not converted: `toNumber` says so outright. */
export function numberArgument(args: FunctionArguments, index: number): number {
  const value = args.values[index];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw wrongKind(args, index, "a finite number");
}

/** The argument as a whole number that a double holds exactly. */
export function integerArgument(args: FunctionArguments, index: number): number {
  const value = args.values[index];
  if (Number.isSafeInteger(value)) return value as number;
  throw wrongKind(args, index, "a whole number");
}

/** The argument as a string. Nothing is converted: `toString` says so outright. */
export function stringArgument(args: FunctionArguments, index: number): string {
  const value = args.values[index];
  if (typeof value === "string") return value;
  throw wrongKind(args, index, "a string");
}

/** The argument as a list. */
export function listArgument(args: FunctionArguments, index: number): readonly unknown[] {
  const value = args.values[index];
  if (Array.isArray(value)) return value;
  throw wrongKind(args, index, "a list");
}

/** The argument as an object. */
export function objectArgument(args: FunctionArguments, index: number): Readonly<Record<string, unknown>> {
  const value = args.values[index];
  if (kindOf(value) === "an object") return value as Readonly<Record<string, unknown>>;
  throw wrongKind(args, index, "an object");
}

/** The failure of an argument of the wrong kind. It names kinds, never the value, which may be a secret. */
export function wrongKind(args: FunctionArguments, index: number, expected: string): ExpressionFailure {
  const value = args.values[index];
  const got = typeof value === "number" ? String(value) : kindOf(value);
  const message = `\`${args.name}\` expects ${expected} as argument ${index + 1} and got ${got}`;
  return new ExpressionFailure("invalid", message);
}

/** Fails when a list that is still to be built would have more items than any list may have. */
export function checkListLength(args: FunctionArguments, length: number): void {
  if (length <= MAX_LIST_ITEMS) return;
  throw new ExpressionFailure("limit", `\`${args.name}\` would make a list of more than ${MAX_LIST_ITEMS} items`);
}
