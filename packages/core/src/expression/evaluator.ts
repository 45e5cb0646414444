import { ExpressionFailure, listNames } from "./expression-failure.ts";
import type { FunctionSpec } from "./function-spec.ts";
import { findFunction } from "./functions.ts";
import { AbsentData, ListData, ObjectData, StarData, kindOf, readOwn, textOf, unwrap, wrap } from "./json-data.ts";
import { isPlainObject } from "./json-text.ts";
import {
  ContextAccess,
  Evaluator,
  type Expr,
  type ExpressionData,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Star,
  data,
} from "./library.ts";
import { nearestName } from "./nearest-name.ts";
import { formatMember } from "./reference.ts";

/**
 * What an expression may read: a record of contexts, or a function from a context's name to its value. Values are JSON;
 * objects may compute their members when they are read. `undefined` means that the context does not exist at this place.
 */
export type ExpressionScope = { get(context: string): unknown } | Readonly<Record<string, unknown>>;

const NO_CONTEXT = new data.Dictionary();

/**
 * The library's walk over the tree, with our own reading of data: members by own key, a member that is not there kept
 * apart from `null`, and only functions of our table.
 */
export class ExpressionEvaluator extends Evaluator {
  readonly #scope: ExpressionScope;

  constructor(tree: Expr, scope: ExpressionScope) {
    super(tree, NO_CONTEXT);
    this.#scope = scope;
  }

  override visitContextAccess(access: ContextAccess): ExpressionData {
    const name = access.name.lexeme;
    const value = readContext(this.#scope, name);
    return value === undefined ? new AbsentData(() => `\`${name}\` has no value here`) : wrap(value);
  }

  override visitIndexAccess(access: IndexAccess): ExpressionData {
    const holder = this.eval(access.expr);
    if (holder instanceof AbsentData) return holder;
    if (access.index instanceof Star)
      return new StarData(holder instanceof StarData ? holder.raw.flatMap(childrenOf) : childrenOf(unwrap(holder)));
    const key = this.eval(access.index);
    if (key instanceof AbsentData) return key;
    const raw = unwrap(holder);
    if (holder instanceof StarData) {
      const found = holder.raw.map((item) => readMember(item, key)).filter((value) => value !== undefined);
      return new StarData(found);
    }
    const value = readMember(raw, key);
    return value === undefined ? new AbsentData(() => describeAbsent(access, raw, key)) : wrap(value);
  }

  override visitFunctionCall(call: FunctionCall): ExpressionData {
    const name = call.functionName.lexeme;
    const spec = findFunction(name);
    if (spec === undefined) return this.#chooseCase(call.args);
    const values = call.args.map((argument) => this.#argument(spec, argument));
    const result = spec.call({ name: spec.name, values });
    return result === undefined ? new AbsentData(() => `\`${spec.name}(…)\` has no value`) : wrap(result);
  }

  #argument(spec: FunctionSpec, argument: Expr): unknown {
    const value = this.eval(argument);
    if (!(value instanceof AbsentData) || spec.acceptsAbsent === true) return unwrap(value);
    const hint = `wrap it in \`default(…, …)\` where \`${spec.name}\` may go without it`;
    throw new ExpressionFailure("unresolved", `${value.describe()}; ${hint}`);
  }

  /** Only the chosen value is evaluated: the others may name what does not exist. */
  #chooseCase(args: readonly Expr[]): ExpressionData {
    for (let index = 0; index + 1 < args.length; index += 2) {
      const condition = this.eval(args[index] as Expr);
      if (!(condition instanceof data.BooleanData)) {
        const message = `\`case\` expects true or false as argument ${index + 1} and got ${kindOf(unwrap(condition))}`;
        throw new ExpressionFailure("invalid", message);
      }
      if (condition.value) return this.eval(args[index + 1] as Expr);
    }
    return this.eval(args.at(-1) as Expr);
  }
}

function readContext(scope: ExpressionScope, name: string): unknown {
  if (typeof scope.get === "function") return scope.get(name);
  return readOwn(scope, name);
}

/** What `.*` goes through: the items of a list, the values of an object, nothing otherwise. */
function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isPlainObject(value) ? Object.values(value) : [];
}

function readMember(holder: unknown, key: ExpressionData): unknown {
  if (key instanceof ObjectData || key instanceof ListData) {
    const message = `a member is named by a string or a number, not by ${kindOf(unwrap(key))}`;
    throw new ExpressionFailure("invalid", message);
  }
  if (Array.isArray(holder)) {
    const index = key instanceof data.Null ? Number.NaN : Math.floor(key.number());
    return index >= 0 && index < holder.length ? holder[index] : undefined;
  }
  return isPlainObject(holder) ? readOwn(holder, key.coerceString()) : undefined;
}

/** Says which member is not there, and which ones are. Values are not shown: they may be secrets. */
function describeAbsent(access: IndexAccess, holder: unknown, key: ExpressionData): string {
  const reference = `\`${describe(access)}\` is undefined`;
  const of = `\`${describe(access.expr)}\``;
  if (Array.isArray(holder)) {
    const count = `${of} is a list of ${holder.length} item${holder.length === 1 ? "" : "s"}`;
    return textOf(unwrap(key)) === "length" ? `${reference}: ${count}; write \`length(…)\`` : `${reference}: ${count}`;
  }
  if (!isPlainObject(holder)) return `${reference}: ${of} is ${kindOf(holder)}`;
  const names = Object.keys(holder);
  if (names.length === 0) return `${reference}: ${of} is empty`;
  const near = nearestName(textOf(unwrap(key)), names);
  return `${reference}: ${of} has ${listNames(names)}${near === undefined ? "" : `; did you mean \`${near}\`?`}`;
}

/** The source of an access, as far as it is one: what is computed shows as `…`. */
function describe(node: Expr): string {
  if (node instanceof ContextAccess) return node.name.lexeme;
  if (node instanceof Grouping) return `(${describe(node.group)})`;
  if (node instanceof FunctionCall) return `${node.functionName.lexeme}(…)`;
  if (!(node instanceof IndexAccess)) return "…";
  const { index } = node;
  if (index instanceof Star) return `${describe(node.expr)}.*`;
  return (
    describe(node.expr) +
    (index instanceof Literal ? formatMember(index.literal.coerceString()) : `[${describe(index)}]`)
  );
}
