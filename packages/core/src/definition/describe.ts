import type { JsonValue } from "../json.ts";

/** More of a text than this says nothing in a message. */
const MAX_QUOTED_LENGTH = 60;

/** Control characters, line separators and marks of writing direction: a name must not forge lines or colors of a terminal. */
const UNPRINTABLE = /[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}\p{Bidi_Control}]/gu;

/** Makes any text safe to print on one line: what cannot be seen is written as `\u…`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}

/** What most names are made of, and nothing that needs care. */
const PLAIN = /^[\w$.-]{1,60}$/;

/** A name or a short text in backticks, as messages show it. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `\`${text}\``;
  const short = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH - 1)}…` : text;
  return `\`${printable(short).replaceAll("`", "'")}\``;
}

/** `a`, `b` and `c`. */
export function listNames(names: readonly string[], word: "and" | "or" = "and"): string {
  const quoted = names.map(quote);
  const last = quoted.at(-1) ?? "";
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** What was found where something else was expected. */
export function describeValue(value: JsonValue): string {
  if (value === null) return "nothing";
  if (typeof value === "string") return value === "" ? "an empty text" : `the text ${quote(value)}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return `\`${value}\``;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return Object.keys(value).length === 0 ? "an empty mapping" : "a mapping";
}
