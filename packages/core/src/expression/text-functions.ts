import { ExpressionFailure } from "./expression-failure.ts";
import { type FunctionArguments, type FunctionSpec, MANY, checkListLength, stringArgument } from "./function-spec.ts";
import { textOf, unwrap, wrap } from "./json-data.ts";
import { checkJson, checkPlannedLength, checkTextLength, jsonText } from "./json-text.ts";
import { wellKnownFunctions } from "./library.ts";

/**
 * Functions over text, and GitHub's own functions. A result that would be too long is refused before it is built: nested
 * calls can multiply a text far beyond what memory holds. There are no patterns, so no text can make a search slow.
 */
export const textFunctions: readonly FunctionSpec[] = [
  fromLibrary("contains"),
  fromLibrary("startsWith"),
  fromLibrary("endsWith"),
  { name: "format", minArgs: 1, maxArgs: MANY, call: format },
  { name: "join", minArgs: 1, maxArgs: 2, call: join },
  { name: "toJSON", minArgs: 1, maxArgs: 1, call: (args) => jsonText(args.values[0], 2) },
  { name: "fromJSON", minArgs: 1, maxArgs: 1, call: fromJson },
  { name: "lower", minArgs: 1, maxArgs: 1, call: (args) => stringArgument(args, 0).toLowerCase() },
  { name: "upper", minArgs: 1, maxArgs: 1, call: (args) => stringArgument(args, 0).toUpperCase() },
  { name: "trim", minArgs: 1, maxArgs: 1, call: (args) => stringArgument(args, 0).trim() },
  { name: "split", minArgs: 2, maxArgs: 2, call: split },
  { name: "replace", minArgs: 3, maxArgs: 3, call: replace },
];

/** A function whose GitHub meaning (no case, conversions) is the library's own. */
function fromLibrary(name: "contains" | "startsWith" | "endsWith"): FunctionSpec {
  const definition = wellKnownFunctions[name.toLowerCase()];
  if (definition === undefined) throw new Error(`the expression library has no function ${name}`);
  return { name, minArgs: 2, maxArgs: 2, call: ({ values }) => unwrap(definition.call(...values.map(wrap))) };
}

/** `{0}` is the first value after the pattern; `{{` and `}}` are braces. */
function format(args: FunctionArguments): string {
  const pattern = stringArgument(args, 0);
  const values = args.values.slice(1).map(textOf);
  const pieces: string[] = [];
  let length = 0;
  for (let at = 0; at < pattern.length;) {
    const { piece, next } = formatPiece(pattern, at, values);
    length += piece.length;
    checkPlannedLength(length);
    pieces.push(piece);
    at = next;
  }
  return pieces.join("");
}

interface FormatPiece {
  readonly piece: string;
  readonly next: number;
}

function formatPiece(pattern: string, at: number, values: readonly string[]): FormatPiece {
  const brace = pattern[at];
  if (brace !== "{" && brace !== "}") {
    let next = at + 1;
    while (next < pattern.length && pattern[next] !== "{" && pattern[next] !== "}") next += 1;
    return { piece: pattern.slice(at, next), next };
  }
  if (pattern[at + 1] === brace) return { piece: brace, next: at + 2 };
  const close = brace === "{" ? pattern.indexOf("}", at) : -1;
  const index = close === -1 ? undefined : formatIndex(pattern.slice(at + 1, close));
  if (index === undefined) {
    throw new ExpressionFailure("invalid", "`format` expects `{0}`, `{1}` … or a doubled brace in its pattern");
  }
  const piece = values[index];
  if (piece === undefined) throw new ExpressionFailure("invalid", `\`format\` has no value for \`{${index}}\``);
  return { piece, next: close + 1 };
}

function formatIndex(digits: string): number | undefined {
  const index = Number(digits);
  return digits !== "" && String(index) === digits && Number.isSafeInteger(index) ? index : undefined;
}

/** A list with a separator (`,` unless said) between its items; anything else is just its text. */
function join(args: FunctionArguments): string {
  const [list] = args.values;
  if (!Array.isArray(list)) return textOf(list);
  const separator = args.values.length > 1 ? stringArgument(args, 1) : ",";
  let length = 0;
  const texts = list.map((item: unknown) => {
    const text = textOf(item);
    length += text.length + separator.length;
    checkPlannedLength(length - separator.length);
    return text;
  });
  return texts.join(separator);
}

/** The message says nothing of the text: the parser's own would quote a piece of it, which may be a secret. */
function fromJson(args: FunctionArguments): unknown {
  const text = checkTextLength(stringArgument(args, 0));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ExpressionFailure("invalid", "`fromJSON` expects a string that is JSON");
  }
  checkJson(value);
  return value;
}

function split(args: FunctionArguments): string[] {
  const text = stringArgument(args, 0);
  const separator = stringArgument(args, 1);
  if (separator === "") throw new ExpressionFailure("invalid", "`split` expects a separator that is not empty");
  const parts = text.split(separator);
  checkListLength(args, parts.length);
  return parts;
}

/** Every occurrence, as plain text. Joining the parts keeps `$&` and the like in the new text what they are. */
function replace(args: FunctionArguments): string {
  const search = stringArgument(args, 1);
  const replacement = stringArgument(args, 2);
  if (search === "") throw new ExpressionFailure("invalid", "`replace` expects a search text that is not empty");
  const parts = stringArgument(args, 0).split(search);
  const kept = stringArgument(args, 0).length - (parts.length - 1) * search.length;
  checkPlannedLength(kept + (parts.length - 1) * replacement.length);
  return parts.join(replacement);
}
