import { type ExpressionProblem, problemAt } from "./problem.ts";
import { unclosedProblem } from "./parse-template.ts";
import { EXPRESSION_END, EXPRESSION_START, findExpressionEnd } from "./template-text.ts";

/** Deepest nesting of substitutions and blocks in a script. */
const MAX_SHELL_DEPTH = 50;

/** In the text of a word: where an expression stands. */
export const DIRECT = "\u0001";
/** In the text of a word: where the shell puts something of its own in: a variable, the output of a command. */
export const EXPANSION = "\u0002";
/** In the text of a word: where a process substitution stands. */
export const PROCESS = "\u0003";
/** In the text of a word: where commands in brackets stand, or the items of an array. */
export const GROUP = "\u0004";

/** Whether the text of a word is the same in every run. */
export function isKnown(text: string): boolean {
  return ![DIRECT, EXPANSION, PROCESS, GROUP].some((mark) => text.includes(mark));
}

/** An expression in a script. */
export interface FoundExpression {
  /** From its `${{` … */
  readonly start: number;
  /** … to behind its `}}`. */
  readonly end: number;
  /** Whether the shell reads it inside double quotes or a here-document, where a variable stays one word by itself. */
  readonly isQuoted: boolean;
}

/** Expressions from index `from` up to, not including, index `to` of {@link ShellScan.found}. */
export interface FoundRange {
  readonly from: number;
  readonly to: number;
}

/** A word of a command. */
export interface ShellWord extends FoundRange {
  /** Without its quotes; what is only known at run time is one of the marks above. */
  readonly text: string;
  /** Whether any part of it is quoted, so that it is no word of the grammar. */
  readonly isQuoted: boolean;
  /** Whether it may be no word at all, or several: nothing but unquoted expansions. */
  readonly mayVanish: boolean;
}

/** A word that is being read. */
export interface OpenWord {
  readonly from: number;
  text: string;
  isQuoted: boolean;
}

/** A simple command, the items of an array literal, or a pattern. */
export interface ShellCommand {
  readonly kind: CommandKind;
  readonly words: ShellWord[];
  /** What here-documents and here-strings give it to read. */
  readonly inputs: FoundRange[];
  /** Commands with the same number are joined by `|`, in the order in which they stand. */
  pipeline: number;
  /** All expressions of the command, also of the blocks that it ends and of commands nested in its words. */
  all: FoundRange;
}

export type CommandKind = "command" | "array" | "pattern";

/** A here-document whose body has not come yet. */
export interface Heredoc {
  readonly delimiter: string;
  /** Whether any part of the delimiter is quoted: then the shell leaves the body alone. */
  readonly isQuoted: boolean;
  readonly stripsTabs: boolean;
  readonly command: ShellCommand;
}

/** What ends a list of commands: a closing sign, the end of one branch of a `case`, or the end of the text. */
export type CommandsEnd = ")" | "`" | "branch" | "text";

/** The state of reading one script. The functions that read move `at` forward, and never beyond `end`. */
export interface ShellScan {
  readonly text: string;
  at: number;
  end: number;
  depth: number;
  /** More than 0 while the shell would compute what is read. */
  arithmetic: number;
  /** More than 0 inside backquotes … */
  backquotes: number;
  /** … and whether a backslash has been read there, which means one thing less with every level. */
  hasBackquoteEscape: boolean;
  pipelines: number;
  heredocs: Heredoc[];
  readonly found: FoundExpression[];
  readonly commands: ShellCommand[];
  readonly problems: ExpressionProblem[];
  /** Where the reported expressions start. */
  readonly refused: Set<number>;
  /** Where comments lie, whose text is left as it is. */
  readonly comments: { readonly start: number; readonly end: number }[];
  /** Reads commands. Quotes and commands contain each other; this is how a file of the one reaches the other. */
  readonly readCommands: (scan: ShellScan, until: CommandsEnd, kind: CommandKind) => void;
}

/** A problem of an expression in a script. */
export interface Refusal {
  readonly message: string;
  readonly hint: string;
  readonly severity?: "error" | "warning";
}

/** Whether an expression starts here. */
export function isAtExpression(scan: ShellScan, at: number = scan.at): boolean {
  return scan.text.startsWith(EXPRESSION_START, at);
}

/** Reads the expression that starts here. What it is refused for comes with it; without a closing `}}` the rest is skipped. */
export function readExpression(scan: ShellScan, isQuoted: boolean, refusal?: Refusal): string {
  const start = scan.at;
  const close = findExpressionEnd(scan.text, start + EXPRESSION_START.length);
  const end = close === undefined ? undefined : close + EXPRESSION_END.length;
  if (end === undefined || end > scan.end) {
    scan.problems.push(unclosedProblem(scan.text.slice(0, scan.end), start));
    scan.at = scan.end;
    return DIRECT;
  }
  scan.at = end;
  const reason = refusal ?? placeRefusal(scan);
  scan.found.push({ start, end, isQuoted });
  if (reason !== undefined) refuse(scan, { from: scan.found.length - 1, to: scan.found.length }, reason);
  return DIRECT;
}

function placeRefusal(scan: ShellScan): Refusal | undefined {
  if (scan.arithmetic > 0) return ARITHMETIC;
  return scan.backquotes > 0 && scan.hasBackquoteEscape ? ESCAPED_BACKQUOTES : undefined;
}

/** Why no expression may stand where the shell computes: it takes the value of a variable for a formula, with commands in it. */
export const ARITHMETIC: Refusal = {
  message: "the shell computes this text, and would run commands that stand in the value",
  hint: "compute in the expression, with `add(…)` or `sub(…)`; compare with `[ … -eq … ]`; a blank between two `(` keeps a subshell apart",
};

/** Why a value may not stand where an option may: some options run code. */
export const AS_OPTION: Refusal = {
  message: "a value that starts with `-` would be read as an option here, and some options run code",
  hint: "write `--` before it, or, for `printf`, a fixed format such as '%s'",
};

/** Why no value may stand behind `>&`. */
export const AS_DESCRIPTOR: Refusal = {
  message: "the shell expands what follows `>&` twice, and would run commands that stand in the value",
  hint: "write `> file 2>&1` for a file",
};

const ESCAPED_BACKQUOTES: Refusal = {
  message: "an expression cannot stand in backquotes after a backslash: each level reads the backslash in its own way",
  hint: "write $(…) instead of the backquotes",
};

/** Reports expressions that stand where they must not. An expression that has been reported before is left. */
export function refuse(scan: ShellScan, range: FoundRange, refusal: Refusal): void {
  for (const { start, end } of scan.found.slice(range.from, range.to)) {
    if (scan.refused.has(start)) continue;
    scan.refused.add(start);
    const { message, hint, severity = "error" } = refusal;
    const problem = problemAt({ offset: start, length: end - start }, { code: "unsafe_expression", message, hint });
    scan.problems.push({ ...problem, severity });
  }
}

/** A command of which nothing has been read yet. */
export function newCommand(scan: ShellScan, kind: CommandKind, pipeline: number): ShellCommand {
  return { kind, words: [], inputs: [], pipeline, all: { from: scan.found.length, to: scan.found.length } };
}

/** Reads something nested. Deeper than 50 levels the rest of the text is skipped and the script refused. */
export function nested(scan: ShellScan, read: () => void): void {
  if (scan.depth >= MAX_SHELL_DEPTH) {
    const message = `the script is nested deeper than ${MAX_SHELL_DEPTH}`;
    scan.problems.push(problemAt({ offset: scan.at, length: 1 }, { code: "limit_exceeded", message }));
    scan.at = scan.end;
    return;
  }
  scan.depth += 1;
  read();
  scan.depth -= 1;
}
