import { type Expression, parseExpression } from "./parse-expression.ts";
import { type ExpressionProblem, problemAt } from "./problem.ts";
import type { ExpressionReference } from "./reference.ts";
import { EXPRESSION_START, type TemplateSlice, isTemplate, splitTemplate } from "./template-text.ts";

/** A piece of a parsed template. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "expression"; readonly expression: Expression };

/** A parsed string: literal text and expressions in the order of the string. */
export interface Template {
  readonly text: string;
  readonly parts: readonly TemplatePart[];
  /** All references of all expressions, with offsets into `text`. */
  readonly references: readonly ExpressionReference[];
}

/** How to read a text. */
export interface ParseOptions {
  /** Context names that this place has beside the standard ones, such as the `as` of a `forEach`. */
  readonly extraContexts?: readonly string[];
}

type ParseResult = Template | readonly ExpressionProblem[];

/** Most parsed texts that are kept; the plans of a busy worker name far fewer. */
const MAX_CACHED = 2_000;

/** Longer texts are parsed each time: they are rare, and would be most of what the cache holds in memory. */
const MAX_CACHED_LENGTH = 4_096;

const cache = new Map<string, ParseResult>();

/**
 * Parses a string with any number of `${{ … }}` in it. Parsing the same text again is a look-up.
 *
 * @example
 * const template = parseTemplate("v${{ inputs.version }}");
 */
export function parseTemplate(text: string, options: ParseOptions = {}): Template | readonly ExpressionProblem[] {
  if (!isTemplate(text)) return { text, parts: text === "" ? [] : [{ kind: "text", text }], references: [] };
  return cached("template", text, options);
}

/**
 * Parses a condition: an expression with or without `${{ }}` around it. Text beside the braces is a problem, because the
 * whole would then be a text that is true whatever the expression says.
 */
export function parseCondition(text: string, options: ParseOptions = {}): Template | readonly ExpressionProblem[] {
  return cached("condition", text, options);
}

/** Whether a parse gave problems instead of a template. */
export function isProblems(result: ParseResult): result is readonly ExpressionProblem[] {
  return Array.isArray(result);
}

function cached(kind: "template" | "condition", text: string, options: ParseOptions): ParseResult {
  const extraContexts = options.extraContexts ?? [];
  const parse = kind === "template" ? parseSlices : parseWholeCondition;
  if (text.length > MAX_CACHED_LENGTH) return parse(text, extraContexts);
  const key = `${kind} ${extraContexts.join(",")} ${text}`;
  let result = cache.get(key);
  if (result === undefined) {
    result = parse(text, extraContexts);
    // The oldest goes first; keeping track of use would cost more than parsing one text again.
    const oldest = cache.size >= MAX_CACHED ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(key, result);
  }
  return result;
}

function parseSlices(text: string, extraContexts: readonly string[]): ParseResult {
  const { slices, unclosedAt } = splitTemplate(text);
  const parts: TemplatePart[] = [];
  const problems: ExpressionProblem[] = [];
  for (const slice of slices) {
    if (slice.kind === "text") {
      parts.push(slice);
      continue;
    }
    const expression = parseExpression({ ...slice, extraContexts });
    if ("tree" in expression) parts.push({ kind: "expression", expression });
    else problems.push(...expression);
  }
  if (unclosedAt !== undefined) problems.push(unclosedProblem(text, unclosedAt));
  return problems.length > 0 ? problems : makeTemplate(text, parts);
}

/** The problem of a `${{` without its `}}`. */
export function unclosedProblem(text: string, offset: number): ExpressionProblem {
  const quoted = text.includes("}}", offset);
  const message = quoted
    ? "`${{` is not closed: the `}}` after it stands inside a string"
    : "`${{` is not closed with `}}`";
  const hint = quoted
    ? "close the string with a single quote; a quote inside a string is doubled: 'it''s'"
    : "for the characters themselves write ${{ '${{' }}";
  return problemAt({ offset, length: EXPRESSION_START.length }, { code: "expression_syntax", message, hint });
}

function parseWholeCondition(text: string, extraContexts: readonly string[]): ParseResult {
  if (!isTemplate(text)) return singleExpression(text, { source: text, offset: 0 }, extraContexts);
  const { slices, unclosedAt } = splitTemplate(text);
  if (unclosedAt !== undefined) return [unclosedProblem(text, unclosedAt)];
  const written = slices.filter((slice) => slice.kind === "expression" || slice.text.trim() !== "");
  const [only] = written;
  if (written.length === 1 && only?.kind === "expression") return singleExpression(text, only, extraContexts);
  const message = "a condition with text beside `${{ }}` is a text, and true whatever the expression says";
  const hint = "write the whole condition as one expression, with or without `${{ }}` around it";
  return [problemAt({ offset: 0, length: text.length }, { code: "expression_syntax", message, hint })];
}

function singleExpression(
  text: string,
  slice: Pick<Extract<TemplateSlice, { kind: "expression" }>, "source" | "offset">,
  extraContexts: readonly string[],
): ParseResult {
  const expression = parseExpression({ source: slice.source, offset: slice.offset, extraContexts });
  return "tree" in expression ? makeTemplate(text, [{ kind: "expression", expression }]) : expression;
}

function makeTemplate(text: string, parts: readonly TemplatePart[]): Template {
  const references = parts.flatMap((part) => (part.kind === "expression" ? part.expression.references : []));
  return { text, parts, references };
}
