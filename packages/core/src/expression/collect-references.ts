import { STEP_MEMBERS } from "./contexts.ts";
import {
  Binary,
  ContextAccess,
  type Expr,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  type Token,
  Unary,
  data,
} from "./library.ts";
import { nearestName } from "./nearest-name.ts";
import { type ExpressionProblem, problemAt } from "./problem.ts";
import { type ExpressionReference, formatReference } from "./reference.ts";

/** The references of an expression in the order of its text, and what is wrong with them. */
export interface CollectedReferences {
  readonly references: readonly ExpressionReference[];
  readonly problems: readonly ExpressionProblem[];
}

/**
 * Reads all context accesses off a parsed expression. Members that are written as `outputs` of a step are renamed in the
 * tree to `output`, so that evaluation has one name.
 */
export function collectReferences(tree: Expr, offsetOf: (token: Token) => number): CollectedReferences {
  const references: ExpressionReference[] = [];
  const problems: ExpressionProblem[] = [];

  const visit = (node: Expr): void => {
    if (node instanceof ContextAccess || node instanceof IndexAccess) return visitAccess(node);
    if (node instanceof FunctionCall || node instanceof Logical) return node.args.forEach(visit);
    if (node instanceof Grouping) return visit(node.group);
    if (node instanceof Unary) return visit(node.expr);
    if (node instanceof Binary) {
      visit(node.left);
      visit(node.right);
    }
  };

  const visitAccess = (node: ContextAccess | IndexAccess): void => {
    const { base, accesses } = unchain(node);
    if (base instanceof ContextAccess) {
      const { reference, problem } = readChain(base, accesses, offsetOf(base.name));
      references.push(reference);
      if (problem !== undefined) problems.push(problem);
    } else {
      visit(base);
    }
    for (const access of accesses) visit(access.index);
  };

  visit(tree);
  return { references, problems };
}

interface Chain {
  /** What the first member is taken of: a context, or an expression in parentheses or a call. */
  readonly base: Expr;
  /** The member accesses, from left to right. */
  readonly accesses: readonly IndexAccess[];
}

function unchain(node: Expr): Chain {
  const accesses: IndexAccess[] = [];
  let base = node;
  while (base instanceof IndexAccess || (base instanceof Grouping && isAccess(base.group))) {
    if (base instanceof IndexAccess) accesses.unshift(base);
    base = base instanceof IndexAccess ? base.expr : base.group;
  }
  return { base, accesses };
}

/** Parentheses around a plain access change nothing: `(steps.build).output` names the same member. */
function isAccess(node: Expr): boolean {
  return (
    node instanceof ContextAccess || node instanceof IndexAccess || (node instanceof Grouping && isAccess(node.group))
  );
}

interface ReadChain {
  readonly reference: ExpressionReference;
  readonly problem?: ExpressionProblem | undefined;
}

function readChain(base: ContextAccess, accesses: readonly IndexAccess[], offset: number): ReadChain {
  const context = base.name.lexeme;
  if (context === "steps") renameOutputs(accesses[1]);
  const members = accesses.map((access) => literalMember(access));
  const dynamicFrom = members.indexOf(undefined);
  const path = members.slice(0, dynamicFrom === -1 ? undefined : dynamicFrom) as string[];
  const reference: ExpressionReference = { context, path, dynamic: dynamicFrom !== -1, offset };
  return { reference, problem: checkMembers(reference, members) };
}

function renameOutputs(access: IndexAccess | undefined): void {
  if (access === undefined || literalMember(access) !== "outputs") return;
  const { token } = access.index as Literal;
  access.index = new Literal(new data.StringData("output"), token);
}

function literalMember(access: IndexAccess): string | undefined {
  return access.index instanceof Literal ? access.index.literal.coerceString() : undefined;
}

function checkMembers(
  reference: ExpressionReference,
  members: readonly (string | undefined)[],
): ExpressionProblem | undefined {
  const span = { offset: reference.offset, length: reference.context.length };
  if (members.includes("__proto__")) {
    return problemAt(span, { code: "unknown_reference", message: "`__proto__` is not a member of anything" });
  }
  if (reference.context !== "steps") return undefined;
  const [id, member] = members;
  const step = id === undefined ? "steps[…]" : formatReference("steps", [id]);
  if (members.length === 0) {
    const message = "`steps` alone has no value: an expression names the steps that it reads";
    return problemAt(span, { code: "unknown_reference", message, hint: "write `steps.<id>.output`" });
  }
  if (member !== undefined && STEP_MEMBERS.includes(member)) return undefined;
  const message =
    member === undefined ? `\`${step}\` alone has no value` : `a step has no member \`${member}\`, in \`${step}\``;
  return problemAt(span, { code: "unknown_reference", message, hint: memberHint(step, member) });
}

function memberHint(step: string, member: string | undefined): string {
  const near = member === undefined ? undefined : nearestName(member, STEP_MEMBERS);
  if (near !== undefined) return `did you mean \`${step}.${near}\`?`;
  const further = member === undefined ? "" : `; a value that the step gave is \`${step}.output.${member}\``;
  return `write \`${step}.output\`, \`${step}.status\` or \`${step}.error\`${further}`;
}
