import type { YAMLError } from "yaml";
import { printable } from "./describe.ts";
import type { DiagnosticCode } from "./diagnostic.ts";
import type { Place } from "./reading.ts";

/** What the text itself has wrong, before it means anything. */
export interface SourceProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly place: Place;
}

/** An error of the library as a problem with a place. */
export function describeSyntaxError(error: YAMLError, text: string, placeAt: (offset: number) => Place): SourceProblem {
  const [start] = error.pos;
  const { message = `${clean(error.message)}.`, hint } = explain(error, text.slice(start, start + 40)) ?? {};
  return { code: "yaml_syntax", message, hint, place: placeAt(Math.min(start, text.length)) };
}

interface Explanation {
  readonly message?: string;
  readonly hint?: string;
}

/** The library's errors in the words of somebody who writes a workflow; others keep the library's words. */
function explain(error: YAMLError, at: string): Explanation | undefined {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { message: "The line is indented with a tab.", hint: "Use spaces." };
    case "TAG_RESOLVE_FAILED": {
      const tag = clean(/^\S+/.exec(at)?.[0] ?? "!");
      return {
        message: `\`${tag}\` is read as a YAML tag, not as text.`,
        hint: `Put the value in quotes: \`"${tag} …"\`.`,
      };
    }
    case "BLOCK_AS_IMPLICIT_KEY":
      return {
        message: "This value looks like a mapping inside a value.",
        hint: "Put a text with `: ` in it in quotes, and check the indentation of the lines below.",
      };
    case "MULTILINE_IMPLICIT_KEY":
      return {
        message: "This line is neither `key: value` nor part of the text before it.",
        hint: "Check `:` and the indentation.",
      };
    case "BAD_SCALAR_START":
      return {
        message: `A text without quotes cannot start with ${at.startsWith("`") ? "a backtick" : `\`${clean(at.slice(0, 1))}\``}.`,
        hint: "Put it in quotes.",
      };
    case "NON_STRING_KEY":
      return { message: "A key must be a text.", hint: "Put a value that starts with `{` or `[` in quotes." };
    case "BAD_DQ_ESCAPE":
      return { hint: "In double quotes a backslash is written twice; in single quotes it is an ordinary character." };
    case "BAD_INDENT":
      return error.message.startsWith("Flow")
        ? {
            message: "A list or mapping in brackets has no end, or goes on too far to the left.",
            hint: "Check its `]` or `}`.",
          }
        : { hint: "Lines of one list or mapping start in one column." };
    case "UNEXPECTED_TOKEN":
    case "MISSING_CHAR":
      return { hint: "Check the quotes, brackets and indentation of this line and the one before it." };
    default:
      return undefined;
  }
}

/** Text of the file in a message: short, on one line, without a full stop at the end. */
export function clean(text: string): string {
  return printable(text.slice(0, 160)).replace(/[.:\s]+$/, "");
}
