import { type ParseOptions, type Template, isProblems, parseTemplate } from "./parse-template.ts";
import { type ExpressionProblem, problemAt } from "./problem.ts";
import type { ExpressionReference } from "./reference.ts";
import { warnOfCopiedValues } from "./copied-values.ts";
import { readCommands } from "./shell-commands.ts";
import { findHazards } from "./shell-hazards.ts";
import type { ShellScan } from "./shell-scan.ts";
import { EXPRESSION_START, isTemplate } from "./template-text.ts";

/** Names of the variables that carry values into a script: this and a number from 1. */
const SCRIPT_VARIABLE_PREFIX = "BRAID_EXPR_";

/** A script whose expressions have become variables. */
export interface ScriptReferences {
  /** What the shell is given. */
  readonly script: string;
  /** Template of each variable, by name. Its value goes into the environment as text. */
  readonly env: Readonly<Record<string, Template>>;
  /** With offsets into the script as it was written. */
  readonly references: readonly ExpressionReference[];
  /** With an error among them the script must not run. */
  readonly problems: readonly ExpressionProblem[];
}

/**
 * Puts a variable in the place of each expression of a shell script, quoted as its place needs it, so that a value is
 * always data: it is not split into words, not expanded and never code. Where the shell would read a variable as code
 * (arithmetic, `eval`, the text of another shell) or not at all (single quotes), the expression is a problem.
 *
 * The script is read as `bash` and POSIX shells read it. Expressions in comments are left as they are.
 *
 * @example
 * scriptReferences("echo ${{ inputs.name }}").script; // echo "${BRAID_EXPR_1}"
 */
export function scriptReferences(text: string, options: ParseOptions = {}): ScriptReferences {
  if (!isTemplate(text)) return { script: text, env: {}, references: [], problems: [] };
  const scan = scanScript(text);
  const variables = new Map<string, string>();
  const env: Record<string, Template> = {};
  const references: ExpressionReference[] = [];
  const problems = [...scan.problems, ...warnOfCopiedValues(text, scan.found)];
  let script = "";
  let at = 0;
  for (const found of scan.found) {
    const source = text.slice(found.start, found.end);
    const parsed = parseTemplate(source, options);
    if (isProblems(parsed)) {
      problems.push(...parsed.map((problem) => ({ ...problem, offset: problem.offset + found.start })));
      continue;
    }
    references.push(
      ...parsed.references.map((reference) => ({ ...reference, offset: reference.offset + found.start })),
    );
    const name = variables.get(source) ?? `${SCRIPT_VARIABLE_PREFIX}${variables.size + 1}`;
    variables.set(source, name);
    env[name] = parsed;
    script += text.slice(at, found.start) + (found.isQuoted ? `\${${name}}` : `"\${${name}}"`);
    at = found.end;
  }
  script += text.slice(at);
  return { script, env, references, problems: problems.toSorted((one, other) => one.offset - other.offset) };
}

function scanScript(text: string): ShellScan {
  const scan: ShellScan = {
    text,
    at: 0,
    end: text.length,
    depth: 0,
    arithmetic: 0,
    backquotes: 0,
    hasBackquoteEscape: false,
    pipelines: 0,
    heredocs: [],
    found: [],
    commands: [],
    problems: [],
    refused: new Set(),
    comments: [],
    readCommands,
  };
  readCommands(scan, "text", "command");
  findHazards(scan);
  if (scan.problems.length === 0) reportOverlooked(scan);
  return scan;
}

/** A last line of defense: an expression that no rule has read would reach the shell as it is written. */
function reportOverlooked(scan: ShellScan): void {
  const covered = [...scan.found, ...scan.comments].toSorted((one, other) => one.start - other.start);
  let next = 0;
  for (let at = scan.text.indexOf(EXPRESSION_START); at !== -1; at = scan.text.indexOf(EXPRESSION_START, at + 1)) {
    while ((covered[next]?.end ?? scan.text.length) <= at) next += 1;
    if ((covered[next]?.start ?? scan.text.length) <= at) continue;
    const message = "the shell would not read an expression here";
    const hint = "give the value to a variable first: value=${{ … }}";
    const text = { code: "unsafe_expression", message, hint } as const;
    scan.problems.push(problemAt({ offset: at, length: EXPRESSION_START.length }, text));
  }
}
