import { collectReferences } from "./collect-references.ts";
import { CONTEXT_NAMES, contextHint } from "./contexts.ts";
import { CASE_FUNCTION, FUNCTION_NAMES, findFunction, functionSignatures, replacementOf } from "./functions.ts";
import {
  Binary,
  ErrorType,
  type Expr,
  ExpressionError,
  FunctionCall,
  Grouping,
  IndexAccess,
  Lexer,
  Logical,
  Parser,
  type Token,
  TokenType,
  Unary,
} from "./library.ts";
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_LENGTH } from "./limits.ts";
import { nearestName } from "./nearest-name.ts";
import { type ExpressionProblem, problemAt } from "./problem.ts";
import type { ExpressionReference } from "./reference.ts";
import { syntaxHint } from "./syntax-hint.ts";

/** A parsed expression, ready to be evaluated as often as needed. */
export interface Expression {
  readonly source: string;
  /** Where the source starts in the text that was given. */
  readonly offset: number;
  readonly tree: Expr;
  readonly references: readonly ExpressionReference[];
}

/** The text of an expression, without its `${{` and `}}`, and where it stands. */
export interface ExpressionText {
  readonly source: string;
  readonly offset: number;
  /** Names beside the standard contexts, such as that of a map's item. */
  readonly extraContexts: readonly string[];
}

/** Parses one expression. Unknown names are all reported; a wrong syntax is reported where it first shows. */
export function parseExpression(text: ExpressionText): Expression | readonly ExpressionProblem[] {
  const { source, offset } = text;
  const whole = { offset, length: source.length };
  if (source.trim() === "") {
    return [problemAt(whole, { code: "expression_syntax", message: "the expression is empty" })];
  }
  if (source.length > MAX_EXPRESSION_LENGTH) {
    const message = `the expression is longer than ${MAX_EXPRESSION_LENGTH} characters`;
    return [problemAt(whole, { code: "limit_exceeded", message })];
  }
  const lexed = lex(text);
  if ("problem" in lexed) return [lexed.problem];
  const { tokens } = lexed;
  const offsets = locateTokens(text, tokens);
  const offsetOf = (token: Token): number => offsets.get(token) ?? offset;
  const unknown = resolveNames(text, tokens, offsetOf);
  if (unknown.length > 0) return unknown;
  const tree = parseTokens(text, tokens, offsetOf);
  if ("code" in tree) return [tree];
  if (isTooDeep(tree)) return [tooDeep(whole)];
  const { references, problems } = collectReferences(tree, offsetOf);
  return problems.length > 0 ? problems : { source, offset, tree, references };
}

type LexResult = { readonly tokens: Token[] } | { readonly problem: ExpressionProblem };

function lex(text: ExpressionText): LexResult {
  const lexer = new Lexer(text.source);
  try {
    const { tokens } = lexer.lex();
    // The library undoubles only the first quote of a string.
    for (const token of tokens) {
      if (token.type === TokenType.STRING) token.value = token.lexeme.slice(1, -1).replaceAll("''", "'");
    }
    return { tokens };
  } catch (error) {
    // The lexer throws plain errors whose place is only in a sentence; the private field is where the bad symbol starts.
    if (!(error instanceof Error)) throw error;
    const start = lexer["start"];
    return { problem: syntaxProblem(text.offset + start, badSymbol(text.source, start)) };
  }
}

/** The bad symbol: up to the next blank, and not the rest of a text without an end. */
function badSymbol(source: string, start: number): string {
  let end = start + 1;
  while (end < source.length && !" \t\r\n".includes(source.charAt(end))) end += 1;
  return source.slice(start, end);
}

/** Tokens know lines and columns, which the library miscounts after a string with a line break: their texts are exact. */
function locateTokens(text: ExpressionText, tokens: readonly Token[]): ReadonlyMap<Token, number> {
  const offsets = new Map<Token, number>();
  let at = 0;
  for (const token of tokens) {
    while (" \t\r\n".includes(text.source.charAt(at)) && at < text.source.length) at += 1;
    offsets.set(token, text.offset + at);
    at += token.lexeme.length;
  }
  return offsets;
}

/**
 * Finds unknown names before the library does, which stops at the first and takes `constructor(…)` for a function. Names
 * of contexts may be written in any case, as names of functions may; the tokens of contexts get the defined spelling.
 */
function resolveNames(
  text: ExpressionText,
  tokens: readonly Token[],
  offsetOf: (token: Token) => number,
): ExpressionProblem[] {
  const known = [...CONTEXT_NAMES, ...text.extraContexts];
  const problems: ExpressionProblem[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.type !== TokenType.IDENTIFIER || tokens[index - 1]?.type === TokenType.DOT) continue;
    const name = token.lexeme;
    const span = { offset: offsetOf(token), length: name.length };
    if (tokens[index + 1]?.type === TokenType.LEFT_PAREN) {
      if (findFunction(name) === undefined && name.toLowerCase() !== CASE_FUNCTION) {
        const message = `there is no function \`${name}\``;
        problems.push(problemAt(span, { code: "expression_syntax", message, hint: functionHint(name) }));
      }
      continue;
    }
    const context = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (context === undefined) {
      const message = `there is no context \`${name}\``;
      problems.push(problemAt(span, { code: "unknown_reference", message, hint: contextHint(name, known) }));
    } else {
      token.lexeme = context;
    }
  }
  return problems;
}

function functionHint(name: string): string | undefined {
  const replacement = replacementOf(name);
  if (replacement !== undefined) return replacement;
  const near = nearestName(name, FUNCTION_NAMES);
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}

function parseTokens(
  text: ExpressionText,
  tokens: Token[],
  offsetOf: (token: Token) => number,
): Expr | ExpressionProblem {
  try {
    const contexts = [...CONTEXT_NAMES, ...text.extraContexts];
    return new Parser(tokens, contexts, [...functionSignatures]).parse();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const token = error["tok"];
    const span = { offset: offsetOf(token), length: token.lexeme.length };
    return parserProblem(error["typ"], token, span);
  }
}

function parserProblem(type: ErrorType, token: Token, span: { offset: number; length: number }): ExpressionProblem {
  switch (type) {
    case ErrorType.ErrorExceededMaxDepth:
      return tooDeep(span);
    case ErrorType.ErrorTooFewParameters:
    case ErrorType.ErrorTooManyParameters:
    case ErrorType.ErrorEvenParameters:
      return problemAt(span, { code: "expression_syntax", message: argumentsMessage(token.lexeme) });
    case ErrorType.ErrorUnexpectedEndOfExpression:
      return problemAt(span, { code: "expression_syntax", message: `the expression ends after \`${token.lexeme}\`` });
    default:
      if (token.type !== TokenType.EOF) return syntaxProblem(span.offset, token.lexeme);
      return problemAt(span, { code: "expression_syntax", message: "the expression ends too early" });
  }
}

function argumentsMessage(name: string): string {
  const spec = findFunction(name);
  if (spec === undefined) return "`case` takes pairs of a condition and a value, and one more value at the end";
  const { minArgs, maxArgs } = spec;
  const range = minArgs === maxArgs ? `${minArgs}` : `${minArgs} to ${maxArgs}`;
  return `\`${spec.name}\` takes ${range} argument${range === "1" ? "" : "s"}`;
}

function syntaxProblem(offset: number, symbol: string): ExpressionProblem {
  const message = `the expression cannot be read at \`${symbol}\``;
  return problemAt({ offset, length: symbol.length }, { code: "expression_syntax", message, hint: syntaxHint(symbol) });
}

function tooDeep(span: { offset: number; length: number }): ExpressionProblem {
  const message = `the expression is nested deeper than ${MAX_EXPRESSION_DEPTH}`;
  return problemAt(span, { code: "limit_exceeded", message, hint: "compute a part of it in a step" });
}

/** The library counts nesting but not chains of comparisons, which make a tree as deep as the chain is long. */
function isTooDeep(tree: Expr): boolean {
  const open: { node: Expr; depth: number }[] = [{ node: tree, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.depth > MAX_EXPRESSION_DEPTH) return true;
    for (const child of childrenOf(next.node)) open.push({ node: child, depth: next.depth + 1 });
  }
  return false;
}

function childrenOf(node: Expr): readonly Expr[] {
  if (node instanceof Binary) return [node.left, node.right];
  if (node instanceof IndexAccess) return [node.expr, node.index];
  if (node instanceof FunctionCall || node instanceof Logical) return node.args;
  if (node instanceof Grouping) return [node.group];
  return node instanceof Unary ? [node.expr] : [];
}
