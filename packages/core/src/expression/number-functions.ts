import { ExpressionFailure } from "./expression-failure.ts";
import { type FunctionArguments, type FunctionSpec, MANY, listArgument, numberArgument } from "./function-spec.ts";
import { textOf } from "./json-data.ts";

/**
 * Arithmetic. Only numbers go in and only finite numbers come out: a text that looks like a number, a division by zero or
 * an overflow is a failure, because the value would otherwise travel on as `NaN` or `null`.
 */
export const numberFunctions: readonly FunctionSpec[] = [
  {
    name: "add",
    minArgs: 2,
    maxArgs: MANY,
    call: (args) =>
      finite(
        args,
        fold(args, (sum, next) => sum + next),
      ),
  },
  {
    name: "sub",
    minArgs: 2,
    maxArgs: 2,
    call: (args) =>
      finite(
        args,
        fold(args, (from, next) => from - next),
      ),
  },
  {
    name: "mul",
    minArgs: 2,
    maxArgs: MANY,
    call: (args) =>
      finite(
        args,
        fold(args, (product, next) => product * next),
      ),
  },
  {
    name: "div",
    minArgs: 2,
    maxArgs: 2,
    call: (args) =>
      finite(
        args,
        fold(args, (from, next) => from / next),
      ),
  },
  // As in most languages the sign is that of the first operand: mod(-7, 3) is -1.
  {
    name: "mod",
    minArgs: 2,
    maxArgs: 2,
    call: (args) =>
      finite(
        args,
        fold(args, (from, next) => from % next),
      ),
  },
  { name: "min", minArgs: 1, maxArgs: MANY, call: (args) => extreme(args, (next, best) => next < best) },
  { name: "max", minArgs: 1, maxArgs: MANY, call: (args) => extreme(args, (next, best) => next > best) },
  { name: "floor", minArgs: 1, maxArgs: 1, call: (args) => unsigned(Math.floor(numberArgument(args, 0))) },
  { name: "ceil", minArgs: 1, maxArgs: 1, call: (args) => unsigned(Math.ceil(numberArgument(args, 0))) },
  // Halves go up, towards positive infinity: round(2.5) is 3 and round(-2.5) is -2.
  { name: "round", minArgs: 1, maxArgs: 1, call: (args) => unsigned(Math.round(numberArgument(args, 0))) },
  { name: "toNumber", minArgs: 1, maxArgs: 1, call: toNumber },
];

function fold(args: FunctionArguments, step: (result: number, next: number) => number): number {
  return args.values.map((_, index) => numberArgument(args, index)).reduce(step);
}

/** The smallest or largest of the arguments, or of the one list that is the only argument. */
function extreme(args: FunctionArguments, isBetter: (next: number, best: number) => boolean): number | undefined {
  const only = args.values.length === 1 && Array.isArray(args.values[0]);
  const from: FunctionArguments = only ? { name: args.name, values: listArgument(args, 0) } : args;
  let best: number | undefined;
  for (let index = 0; index < from.values.length; index += 1) {
    const next = numberArgument(from, index);
    if (best === undefined || isBetter(next, best)) best = next;
  }
  return best;
}

function finite(args: FunctionArguments, result: number): number {
  if (Number.isFinite(result)) return unsigned(result);
  const byZero = (args.name === "div" || args.name === "mod") && args.values[1] === 0;
  const reason = byZero ? "divides by zero" : "gives a number too large to hold";
  throw new ExpressionFailure("invalid", `\`${args.name}\` ${reason}`);
}

/** JSON has one zero. */
function unsigned(value: number): number {
  return value === 0 ? 0 : value;
}

/** A number as it is, a boolean as 0 or 1, a text by the language's own conversion unless that gives no number. */
function toNumber(args: FunctionArguments): number {
  const value = args.values[0];
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") return numberArgument(args, 0);
  const number = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isFinite(number)) return unsigned(number);
  throw new ExpressionFailure("invalid", "`toNumber` expects a string that is a number");
}

/** `toString`, beside its opposite. */
export const toStringFunction: FunctionSpec = {
  name: "toString",
  minArgs: 1,
  maxArgs: 1,
  call: (args) => textOf(args.values[0]),
};
