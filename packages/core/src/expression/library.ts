/**
 * The one door to the expression library. Files are imported one by one because the library's main entry also loads its
 * editor completion; what is left is 27 small files.
 *
 * The library gives the grammar (lexer, parser), the tree walk and GitHub's rules of truth, equality and string
 * conversion. Reading data, functions and undefined members are ours: its dictionaries lose keys such as `toString`,
 * ignore case in data, and do not tell a missing member from `null`.
 */
export { ContextAccess, FunctionCall, Grouping, IndexAccess, Literal, Star } from "@actions/expressions/ast";
export { Binary, Logical, Unary, type Expr } from "@actions/expressions/ast";
export * as data from "@actions/expressions/data/index";
export type { ExpressionData } from "@actions/expressions/data/expressiondata";
export { ErrorType, ExpressionError } from "@actions/expressions/errors";
export { Evaluator } from "@actions/expressions/evaluator";
export { wellKnownFunctions } from "@actions/expressions/funcs";
export { Lexer, TokenType, type Token } from "@actions/expressions/lexer";
export { Parser } from "@actions/expressions/parser";
export { falsy } from "@actions/expressions/result";
