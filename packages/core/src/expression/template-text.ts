/** How an expression starts inside a string. */
export const EXPRESSION_START = "${{";

/** How it ends, outside its own string literals. */
export const EXPRESSION_END = "}}";

/** Whether a string holds at least one expression and so has to be parsed. */
export function isTemplate(text: string): boolean {
  return text.includes(EXPRESSION_START);
}

/** A stretch of a template, before its expressions are parsed. */
export type TemplateSlice =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "expression"; readonly source: string; readonly offset: number };

/** The slices of a template in order, and where an expression starts that never ends. */
export interface SplitTemplate {
  readonly slices: readonly TemplateSlice[];
  readonly unclosedAt?: number;
}

/** Splits a string into its literal text and its expressions; nothing is parsed yet. */
export function splitTemplate(text: string): SplitTemplate {
  const slices: TemplateSlice[] = [];
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf(EXPRESSION_START, at);
    if (start === -1) break;
    const sourceStart = start + EXPRESSION_START.length;
    const end = findExpressionEnd(text, sourceStart);
    if (end === undefined) return { slices, unclosedAt: start };
    if (start > at) slices.push({ kind: "text", text: text.slice(at, start) });
    slices.push({ kind: "expression", source: text.slice(sourceStart, end), offset: sourceStart });
    at = end + EXPRESSION_END.length;
  }
  if (at < text.length) slices.push({ kind: "text", text: text.slice(at) });
  return { slices };
}

/**
 * Where the expression whose source starts at `from` ends: the index of its `}}`, or undefined. A `}}` inside a string
 * literal does not count; two quotes inside a literal are one, which here is the same as two literals side by side.
 */
export function findExpressionEnd(text: string, from: number): number | undefined {
  let at = from;
  while (at < text.length) {
    if (text[at] === "'") {
      const close = text.indexOf("'", at + 1);
      if (close === -1) return undefined;
      at = close + 1;
    } else if (text.startsWith(EXPRESSION_END, at)) {
      return at;
    } else {
      at += 1;
    }
  }
  return undefined;
}
