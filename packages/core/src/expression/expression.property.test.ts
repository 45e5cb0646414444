import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import {
  type Arbitrary,
  array,
  assert,
  constant,
  constantFrom,
  integer,
  jsonValue,
  letrec,
  oneof,
  property,
  string,
  tuple,
} from "fast-check";
import { expect, test } from "vitest";
import { compileValue, evaluateValue } from "./compile-value.ts";
import { evaluateCondition, evaluateTemplate } from "./evaluate-template.ts";
import { FUNCTION_NAMES } from "./functions.ts";
import { isProblems, parseCondition, parseTemplate } from "./parse-template.ts";

const inputs = {
  text: "Hello",
  number: 3,
  yes: true,
  no: false,
  nothing: null,
  empty: "",
  list: [1, "two", null, { a: 1 }],
  object: { a: "x", b: { c: [true] } },
  digits: "3",
};

/** Everything that has no place in an expression, next to everything that has. */
const hostileText = array(
  oneof(
    constantFrom(
      "${{",
      "}}",
      "'",
      "''",
      "(",
      ")",
      "[",
      "]",
      ".",
      ",",
      "*",
      "!",
      "==",
      "!=",
      "<=",
      ">",
      "&&",
      "||",
      " ",
      "\n",
      "{",
    ),
    constantFrom(
      "inputs",
      "steps",
      "secrets",
      "env",
      "__proto__",
      "constructor",
      "prototype",
      "toString",
      "output",
      "NaN",
    ),
    constantFrom("0", "-1", "1e309", ".5", "true", "null", "\u0000", "\u2028", "ı", "ﬀ", "\ud800", "😀", '"', "`", "$"),
    constantFrom(...FUNCTION_NAMES),
    string({ maxLength: 3 }),
  ),
  { maxLength: 24 },
).map((parts) => parts.join(""));

const scope = { inputs, env: {}, steps: { a: { output: inputs, status: "completed" } }, secrets: { S: "s" } };

test("never throws on a text, and places every problem inside it", () => {
  assert(
    property(
      oneof(
        hostileText,
        hostileText.map((text) => `\${{ ${text} }}`),
      ),
      (text) => {
        for (const parsed of [parseTemplate(text), parseCondition(text)]) {
          if (!isProblems(parsed)) {
            evaluateTemplate(parsed, scope);
            evaluateCondition(parsed, scope);
            continue;
          }
          expect(parsed.length).toBeGreaterThan(0);
          for (const { offset, length } of parsed) {
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset).toBeLessThanOrEqual(text.length);
            expect(length).toBeGreaterThan(0);
          }
        }
      },
    ),
    { numRuns: 5_000 },
  );
});

test("leaves values without templates as they are, whatever they hold", () => {
  assert(
    property(jsonValue(), (value) => {
      const compiled = compileValue(value);
      if (JSON.stringify(value).includes("${{") || compiled.problems.length > 0) return;
      expect(compiled.isConstant).toBe(true);
      expect(evaluateValue(compiled, {})).toEqual({ ok: true, value });
    }),
  );
});

/** A scalar as the library writes it. */
function evaluateOwnText(scalar: unknown): string {
  return data.reviver("", scalar).coerceString();
}

test("hands any JSON value through unchanged, and puts it into text as JSON or its own text", () => {
  const whole = compileValue({ a: ["${{ inputs }}"], b: "<${{ inputs }}>" });
  assert(
    property(jsonValue(), (value) => {
      // The parser of JSON text gives no negative zero, so no value of a run is one.
      const plain: unknown = JSON.parse(JSON.stringify(value));
      const result = evaluateValue(whole, { inputs: plain });
      if (JSON.stringify(plain).includes("__proto__")) return;
      const text = typeof plain === "object" && plain !== null ? JSON.stringify(plain) : evaluateOwnText(plain);
      expect(result).toEqual({ ok: true, value: { a: [plain], b: `<${text}>` } });
    }),
  );
});

/** Expressions of the part of the language that is GitHub's own, without members that do not exist. */
const { expression } = letrec<{ expression: string }>((tie) => {
  const child = tie("expression");
  const binary = tuple(child, constantFrom("==", "!=", "<", "<=", ">", ">=", "&&", "||"), child);
  const known: Arbitrary<string> = constantFrom(
    ...["text", "number", "yes", "no", "nothing", "empty", "digits", "list", "object"].map((name) => `inputs.${name}`),
    "inputs.list[0]",
    "inputs.list[3].a",
    "inputs['object'].b.c[0]",
    "inputs.list.*.a",
    "inputs.object.*",
  );
  const literal = oneof(
    constantFrom("true", "false", "null", "''", "'hello'", "'3'", "'ß'", "0.1"),
    integer().map(String),
  );
  const call = oneof(
    tuple(constantFrom("contains", "startsWith", "endsWith"), child, child).map(
      ([name, a, b]) => `${name}(${a}, ${b})`,
    ),
    child.map((argument) => `join(${argument})`),
  );
  return {
    expression: oneof(
      { depthSize: "small", withCrossShrink: true },
      literal,
      known,
      binary.map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      child.map((operand) => `!${operand}`),
      call,
    ),
  };
});

/** The library alone, over its own data. */
function evaluateWithLibrary(text: string): data.ExpressionData {
  const { tokens } = new Lexer(text).lex();
  const context = JSON.parse(JSON.stringify({ inputs }), data.reviver) as data.Dictionary;
  return new Evaluator(new Parser(tokens, ["inputs"], []).parse(), context).evaluate();
}

test("agrees with the library where the language is GitHub's own", () => {
  let compared = 0;
  assert(
    property(expression, (text) => {
      const parsed = parseTemplate(`\${{ ${text} }}`);
      expect(isProblems(parsed)).toBe(false);
      if (isProblems(parsed)) return;
      // An object in a text is JSON here and the word `Object` there.
      if (text.includes("join(")) return;
      const mine = evaluateTemplate(parsed, { inputs });
      expect(mine.ok).toBe(true);
      const theirs: unknown = JSON.parse(JSON.stringify(evaluateWithLibrary(text), data.replacer));
      expect(mine.ok && mine.value).toEqual(theirs);
      compared += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(compared).toBeGreaterThan(1_000);
});

test("pollutes nothing, whatever keys the data has", () => {
  const keys = constantFrom("__proto__", "constructor", "prototype", "polluted", "a");
  const nested = array(keys, { minLength: 1, maxLength: 4 });
  assert(
    property(nested, constant("polluted"), (path, value) => {
      const text = path.reduceRight((inner, key) => `{"${key}":${inner}}`, `"${value}"`);
      const object: unknown = JSON.parse(text);
      const compiled = compileValue({
        all: "${{ fromJSON(toJSON(inputs)) }}",
        item: `\${{ inputs${path.map((key) => `['${key}']`).join("")} }}`,
      });
      evaluateValue(compiled, { inputs: object });
      evaluateValue(compileValue(object), {});
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
  );
});
