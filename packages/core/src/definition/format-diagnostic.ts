import { printable } from "./describe.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** Where a diagnostic was found. */
export interface DiagnosticSource {
  /** The text that was read: shows the line, with a mark below the column. */
  readonly text?: string;
  /** Name of the file. */
  readonly file?: string;
}

/** A longer line is shown in part, around the column. */
const MAX_LINE_WIDTH = 100;

/**
 * A diagnostic for people, in several lines without a line break at the end: place, severity, message and code; the line with a
 * mark below its column; the hint. Control characters of the file never reach the terminal.
 *
 * @example
 * formatDiagnostic(diagnostic, { text, file: "release.yaml" })
 * // release.yaml:3:5  error  `timeot` is not a key of a step.  [unknown_key]
 * //   3 |     timeot: 5
 * //     |     ^
 * //     = Did you mean `timeout`?
 */
export function formatDiagnostic(diagnostic: Diagnostic, { text, file }: DiagnosticSource = {}): string {
  const { severity, message, code, hint, line, column } = diagnostic;
  const place = [file === undefined ? undefined : printable(file), line, column].filter((part) => part !== undefined);
  const head = [place.join(":"), severity, printable(message), `[${code}]`].filter((part) => part !== "");
  const excerpt = text === undefined || line === undefined ? undefined : excerptOf(text, { line, column: column ?? 1 });
  const margin = " ".repeat(excerpt?.margin ?? 2);
  const lines = [head.join("  "), ...(excerpt?.lines ?? [])];
  return (hint === undefined ? lines : [...lines, `${margin} = ${printable(hint)}`]).join("\n");
}

interface Excerpt {
  readonly lines: readonly string[];
  /** Width of the column with the line number. */
  readonly margin: number;
}

function excerptOf(
  text: string,
  { line, column }: { readonly line: number; readonly column: number },
): Excerpt | undefined {
  const whole = lineOf(text, line);
  if (whole === undefined || whole.trim() === "") return undefined;
  const start =
    whole.length <= MAX_LINE_WIDTH
      ? 0
      : Math.max(0, Math.min(column - 1 - MAX_LINE_WIDTH / 2, whole.length - MAX_LINE_WIDTH));
  // One character for each one of the file, so that the mark stands below the right one.
  const shown = whole
    .slice(start, start + MAX_LINE_WIDTH)
    .replaceAll("\t", " ")
    .replaceAll(/./gsu, visible);
  const number = String(line).padStart(3);
  const mark = " ".repeat(Math.max(0, Math.min(column - 1 - start, shown.length)));
  return {
    lines: [`${number} | ${shown.trimEnd()}`, `${" ".repeat(number.length)} | ${mark}^`],
    margin: number.length,
  };
}

function visible(character: string): string {
  return printable(character) === character ? character : "?".repeat(character.length);
}

function lineOf(text: string, line: number): string | undefined {
  let start = 0;
  for (let current = 1; current < line; current += 1) {
    const end = text.indexOf("\n", start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
}
