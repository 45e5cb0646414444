import { ExpressionFailure } from "./expression-failure.ts";
import { isPlainObject, jsonText, nameOfForeign } from "./json-text.ts";
import { data, type ExpressionData } from "./library.ts";

/**
 * A JSON object as the library sees it: something of the kind object, with a text. Its members are read from `raw` by the
 * evaluator and wrapped when an expression touches them, so that a large or lazy object costs no more than that.
 */
export class ObjectData extends data.Dictionary {
  readonly raw: Readonly<Record<string, unknown>>;

  constructor(raw: Readonly<Record<string, unknown>>) {
    super();
    this.raw = raw;
  }

  override coerceString(): string {
    return jsonText(this.raw, 0);
  }
}

/** A JSON list as the library sees it, which goes through the items in `contains`. */
export class ListData extends data.Array {
  readonly raw: readonly unknown[];

  constructor(raw: readonly unknown[]) {
    super();
    this.raw = raw;
  }

  override values(): ExpressionData[] {
    return this.raw.map(wrap);
  }

  override coerceString(): string {
    return jsonText(this.raw, 0);
  }
}

/** What `list.*` gives: a list on which a further member access means that member of every item that has it. */
export class StarData extends ListData {}

/**
 * A member that is not there. To truth, equality and comparison it is `null`, to everything else a failure. The message
 * is made only when it is needed: most absent members end in `||` or `default()`.
 */
export class AbsentData extends data.Null {
  readonly describe: () => string;

  constructor(describe: () => string) {
    super();
    this.describe = describe;
  }
}

const NULL = new data.Null();
const TRUE = new data.BooleanData(true);
const FALSE = new data.BooleanData(false);

/** One wrapper per object, because the language compares objects and lists by identity. */
const wrappers = new WeakMap<object, ExpressionData>();

/** Makes JSON readable to the library. `undefined` has to be handled before. */
export function wrap(value: unknown): ExpressionData {
  if (value === null) return NULL;
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return value ? TRUE : FALSE;
  if (Array.isArray(value)) return wrapOnce(value, () => new ListData(value));
  if (isPlainObject(value)) return wrapOnce(value, () => new ObjectData(value));
  throw new ExpressionFailure("invalid", `a value is ${nameOfForeign(value)}, which is not JSON data`);
}

function wrapOnce(value: object, make: () => ExpressionData): ExpressionData {
  let wrapper = wrappers.get(value);
  if (wrapper === undefined) {
    wrapper = make();
    wrappers.set(value, wrapper);
  }
  return wrapper;
}

/** The JSON behind a value of the library; `undefined` for a member that is not there. Objects are not copied. */
export function unwrap(value: ExpressionData): unknown {
  if (value instanceof AbsentData) return undefined;
  if (value instanceof ObjectData || value instanceof ListData) return value.raw;
  if (value instanceof data.StringData || value instanceof data.BooleanData) return value.value;
  return value instanceof data.NumberData ? value.value : null;
}

/** A member by own key. `__proto__` is never one, whoever made the object. */
export function readOwn(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return key !== "__proto__" && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The text that a value becomes inside a text: GitHub's rules, with objects and lists as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : wrap(value).coerceString();
}

/** What kind of JSON a value is, as messages name it. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
