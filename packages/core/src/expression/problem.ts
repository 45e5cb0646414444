/** What can be wrong with the text of a template. The codes are those of diagnostics. */
export type ExpressionProblemCode = "expression_syntax" | "unknown_reference" | "unsafe_expression" | "limit_exceeded";

/** A problem of a template, as a value. All problems of a text are reported at once. */
export interface ExpressionProblem {
  readonly code: ExpressionProblemCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
  /** Where it starts, in UTF-16 units from the start of the text that was given. */
  readonly offset: number;
  /** How much of the text it covers; at least 1. */
  readonly length: number;
}

/** The part of the text that a problem is about. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** What a problem says. */
export interface ProblemText {
  readonly code: ExpressionProblemCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Makes an error; a hint of `undefined` leaves the key out. */
export function problemAt(span: Span, text: ProblemText): ExpressionProblem {
  const { code, message, hint } = text;
  const base = { code, severity: "error", message, offset: span.offset, length: Math.max(1, span.length) } as const;
  return hint === undefined ? base : { ...base, hint };
}

/** Line and column, both from 1, of an offset. Lines end with `\n`. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
