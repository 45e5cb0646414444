import type { JsonValue } from "../json.ts";
import { type Evaluation, type EvaluateOptions, evaluateTemplate } from "./evaluate-template.ts";
import type { ExpressionScope } from "./evaluator.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";
import { type ParseOptions, type Template, isProblems, parseTemplate } from "./parse-template.ts";
import { type ExpressionProblem, problemAt } from "./problem.ts";
import type { ExpressionReference } from "./reference.ts";
import { isTemplate } from "./template-text.ts";
import { isPlainObject } from "./json-text.ts";

/** Something that concerns one string of a JSON value. */
export type AtPointer<Item> = Item & {
  /** JSON pointer to the string; offsets count from its start. */
  readonly pointer: string;
};

/** A JSON value whose templates are parsed once, to be evaluated often. */
export interface CompiledValue {
  readonly references: readonly AtPointer<ExpressionReference>[];
  /** With errors among them the value cannot be evaluated. */
  readonly problems: readonly AtPointer<ExpressionProblem>[];
  /** Whether there is nothing to evaluate. */
  readonly isConstant: boolean;
  readonly shape: ValueShape<Template>;
}

/** A value with its templates taken out. Parts without one are kept as they are. */
export type ValueShape<Leaf> =
  | { readonly kind: "constant"; readonly value: unknown }
  | { readonly kind: "leaf"; readonly leaf: Leaf; readonly pointer: string }
  | { readonly kind: "list"; readonly items: readonly ValueShape<Leaf>[] }
  | { readonly kind: "object"; readonly members: readonly (readonly [key: string, shape: ValueShape<Leaf>])[] };

/** What evaluating a JSON value gave; a failure names the string that has no value. */
export type ValueEvaluation =
  | { readonly ok: true; readonly value: unknown }
  | (Extract<Evaluation, { ok: false }> & { readonly pointer: string });

/** Keys that no definition may have: as members of plain objects they are not data but the language's own. */
const REFUSED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Parses every string of a JSON value that has an expression in it. Keys of objects are not templates. */
export function compileValue(value: unknown, options: ParseOptions = {}): CompiledValue {
  const references: AtPointer<ExpressionReference>[] = [];
  const { shape, problems } = shapeOf<Template>(value, (text, pointer, report) => {
    const parsed = parseTemplate(text, options);
    if (isProblems(parsed)) {
      for (const problem of parsed) report({ ...problem, pointer });
      return undefined;
    }
    for (const reference of parsed.references) references.push({ ...reference, pointer });
    return parsed;
  });
  return { references, problems, isConstant: shape.kind === "constant", shape };
}

/** Evaluates a compiled value. The first string without a value ends it. Parts without a template are not copied. */
export function evaluateValue(
  compiled: CompiledValue,
  scope: ExpressionScope,
  options: EvaluateOptions = {},
): ValueEvaluation {
  const error = compiled.problems.find((problem) => problem.severity === "error");
  if (error !== undefined) return { ok: false, reason: "invalid", message: error.message, pointer: error.pointer };
  return build(compiled.shape, (template) => evaluateTemplate(template, scope, options));
}

/**
 * Walks a JSON value and puts what `visit` gives in the place of each string that has an expression in it. Parts without
 * one are not copied. Keys that are not data, and nesting beyond 100, are failures.
 */
export function mapTemplates(value: JsonValue, visit: (text: string, pointer: string) => Evaluation): ValueEvaluation {
  const { shape, problems } = shapeOf<string>(value, (text) => text);
  const [problem] = problems;
  if (problem !== undefined) {
    const reason = problem.code === "limit_exceeded" ? "limit" : "invalid";
    return { ok: false, reason, message: problem.message, pointer: problem.pointer };
  }
  return build(shape, visit);
}

type Report = (problem: AtPointer<ExpressionProblem>) => void;

interface ReadShape<Leaf> {
  readonly shape: ValueShape<Leaf>;
  readonly problems: readonly AtPointer<ExpressionProblem>[];
}

/** Takes the templates out of a value; `read` gives `undefined` for a string that it has reported. */
function shapeOf<Leaf>(
  value: unknown,
  read: (text: string, pointer: string, report: Report) => Leaf | undefined,
): ReadShape<Leaf> {
  const problems: AtPointer<ExpressionProblem>[] = [];
  const report: Report = (problem) => problems.push(problem);

  const visit = (part: unknown, pointer: string, depth: number): ValueShape<Leaf> => {
    const constant = { kind: "constant", value: part } as const;
    if (typeof part === "string") {
      const leaf = isTemplate(part) ? read(part, pointer, report) : undefined;
      return leaf === undefined ? constant : { kind: "leaf", leaf, pointer };
    }
    if (!Array.isArray(part) && !isPlainObject(part)) return constant;
    if (depth >= MAX_JSON_DEPTH) {
      report({ ...wholeProblem("limit_exceeded", `the value is nested deeper than ${MAX_JSON_DEPTH}`), pointer });
      return constant;
    }
    if (Array.isArray(part)) {
      const items = part.map((item, index) => visit(item, `${pointer}/${index}`, depth + 1));
      return items.every(isConstant) ? constant : { kind: "list", items };
    }
    const members = Object.keys(part).map((key) => {
      const at = `${pointer}/${escapePointer(key)}`;
      reportKey(key, at, report);
      return [key, visit(part[key], at, depth + 1)] as const;
    });
    return members.every(([, shape]) => isConstant(shape)) ? constant : { kind: "object", members };
  };

  return { shape: visit(value, "", 0), problems };
}

function isConstant(shape: ValueShape<unknown>): boolean {
  return shape.kind === "constant";
}

function reportKey(key: string, pointer: string, report: Report): void {
  if (REFUSED_KEYS.has(key)) {
    report({ ...wholeProblem("expression_syntax", `\`${key}\` cannot be a key`), pointer });
  } else if (isTemplate(key)) {
    report({
      ...wholeProblem("expression_syntax", "a key is not a template: `${{ }}` stands only in values"),
      pointer,
    });
  }
}

function wholeProblem(code: "expression_syntax" | "limit_exceeded", message: string): ExpressionProblem {
  return problemAt({ offset: 0, length: 1 }, { code, message });
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function build<Leaf>(shape: ValueShape<Leaf>, evaluate: (leaf: Leaf, pointer: string) => Evaluation): ValueEvaluation {
  switch (shape.kind) {
    case "constant":
      return { ok: true, value: shape.value };
    case "leaf": {
      const result = evaluate(shape.leaf, shape.pointer);
      return result.ok ? result : { ...result, pointer: shape.pointer };
    }
    case "list": {
      const list: unknown[] = [];
      for (const item of shape.items) {
        const result = build(item, evaluate);
        if (!result.ok) return result;
        list.push(result.value);
      }
      return { ok: true, value: list };
    }
    case "object": {
      const object: Record<string, unknown> = {};
      for (const [key, member] of shape.members) {
        const result = build(member, evaluate);
        if (!result.ok) return result;
        object[key] = result.value;
      }
      return { ok: true, value: object };
    }
    default:
      return shape satisfies never;
  }
}
