import { expect, test } from "vitest";
import { type Evaluation, evaluateTemplate } from "./evaluate-template.ts";
import { FUNCTION_NAMES } from "./functions.ts";
import { isProblems, parseTemplate } from "./parse-template.ts";

const inputs = {
  words: ["b", "a", "b"],
  mixed: [1, "1", true, null, { a: 1 }, { a: 1 }, [1], "null", '{"a":1}'],
  nested: [[1, 2], 3, [[4]], []],
  object: { b: 2, a: 1, nothing: null },
  text: "a.b.c",
  emoji: "😀",
  big: "x".repeat(100_000),
  empty: [],
};

function evaluate(expression: string): Evaluation {
  const template = parseTemplate(`\${{ ${expression} }}`);
  if (isProblems(template)) throw new Error(JSON.stringify(template));
  return evaluateTemplate(template, { inputs });
}

/** One row per meaning; a row with `fails` is a failure whose message holds the text. */
const rows: readonly (readonly [expression: string, expected: unknown])[] = [
  ["add(1, 2)", 3],
  ["add(1, 2, 3, 4)", 10],
  ["add(0.1, 0.2)", 0.1 + 0.2],
  ["sub(1, 2)", -1],
  ["mul(2, 3, 4)", 24],
  ["mul(0, -1)", 0],
  ["div(7, 2)", 3.5],
  ["mod(7, 3)", 1],
  ["mod(-7, 3)", -1],
  ["min(3, 1, 2)", 1],
  ["max(fromJSON('[1, 5, 3]'))", 5],
  ["max(2)", 2],
  ["floor(-1.5)", -2],
  ["ceil(1.2)", 2],
  ["ceil(-0.5)", 0],
  ["round(2.5)", 3],
  ["round(-2.5)", -2],
  ["toNumber(' 12.5 ')", 12.5],
  ["toNumber('0x10')", 16],
  ["toNumber(true)", 1],
  ["toNumber(3)", 3],
  ["toString(1.5)", "1.5"],
  ["toString(null)", ""],
  ["toString(inputs.object)", '{"b":2,"a":1,"nothing":null}'],
  ["length('abc')", 3],
  ["length(inputs.words)", 3],
  ["length(inputs.object)", 3],
  ["length(inputs.empty)", 0],
  ["keys(inputs.object)", ["a", "b", "nothing"]],
  ["values(inputs.object)", [1, 2, null]],
  ["default(null, 1)", 1],
  ["default(0, 1)", 0],
  ["default('', 1)", ""],
  ["first(inputs.words)", "b"],
  ["last(inputs.words)", "b"],
  ["first(fromJSON('[null]'))", null],
  ["lower('ABC Ä')", "abc ä"],
  ["upper('abc')", "ABC"],
  ["trim('  a b\n')", "a b"],
  ["split(inputs.text, '.')", ["a", "b", "c"]],
  ["split('', ',')", [""]],
  ["split('a.b', '.*')", ["a.b"]],
  ["replace(inputs.text, '.', '$&')", "a$&b$&c"],
  ["replace('aaa', 'aa', 'b')", "ba"],
  ["has(inputs.object, 'a')", true],
  ["has(inputs.object, 'nothing')", true],
  ["has(inputs.object, 'toString')", false],
  ["has(inputs.object, '__proto__')", false],
  ["has(null, 'a')", false],
  ["has(inputs.absent, 'a')", false],
  ["concat(inputs.words, fromJSON('[1]'))", ["b", "a", "b", 1]],
  ["concat('a', 'b', 'c')", "abc"],
  ["flatten(inputs.nested)", [1, 2, 3, [4]]],
  ["unique(inputs.words)", ["b", "a"]],
  ["unique(inputs.mixed)", [1, "1", true, null, { a: 1 }, [1], "null", '{"a":1}']],
  ["range(3)", [0, 1, 2]],
  ["range(2, 5)", [2, 3, 4]],
  ["range(5, 0, -2)", [5, 3, 1]],
  ["range(0)", []],
  ["range(3, 1)", []],
  ["length(range(10000))", 10_000],
  ["contains('Hello', 'ELL')", true],
  ["contains(inputs.words, 'A')", true],
  ["contains(fromJSON('[1, 2]'), '2')", true],
  ["contains(inputs.object, 'a')", false],
  ["startsWith('Hello', 'he')", true],
  ["endsWith('Hello', 'LO')", true],
  ["startsWith(inputs.words, 'b')", false],
  ["format('{0}-{1}-{0}', 'a', 2)", "a-2-a"],
  ["format('{{{0}}} {{}}', 'a')", "{a} {}"],
  ["format('{0}', inputs.words)", '["b","a","b"]'],
  ["format('plain')", "plain"],
  ["format('{0}', '{1}')", "{1}"],
  ["join(inputs.words)", "b,a,b"],
  ["join(inputs.words, ' - ')", "b - a - b"],
  ["join('text', '-')", "text"],
  ["join(inputs.empty)", ""],
  ["join(fromJSON('[1, null, true, [2]]'))", "1,,true,[2]"],
  ["toJSON(fromJSON('{\"a\":[1]}'))", '{\n  "a": [\n    1\n  ]\n}'],
  ["toJSON('a\"b')", '"a\\"b"'],
  ["fromJSON('{\"toString\":1}').toString", 1],
  ["FROMJSON('null')", null],
  ["case(false, 'a', true, 'b', 'c')", "b"],
  ["CASE(false, 'a', 'c')", "c"],
  ["case(true, 1, fromJSON('broken'))", 1],
];

test.each(rows)("%s", (expression, expected) => {
  expect(evaluate(expression)).toEqual({ ok: true, value: expected });
});

const failures: readonly (readonly [expression: string, message: string])[] = [
  ["add('1', 2)", "`add` expects a finite number as argument 1 and got a string"],
  ["add(1, null)", "`add` expects a finite number as argument 2 and got null"],
  ["sub(true, 1)", "got a boolean"],
  ["add(NaN, 1)", "got NaN"],
  ["div(1, 0)", "`div` divides by zero"],
  ["mod(1, 0)", "`mod` divides by zero"],
  ["mul(1e308, 10)", "too large"],
  ["max('a')", "expects a finite number"],
  ["max(fromJSON('[1, \"2\"]'))", "as argument 2 and got a string"],
  ["toNumber('')", "a string that is a number"],
  ["toNumber('1,5')", "a string that is a number"],
  ["toNumber(null)", "got null"],
  ["length(5)", "`length` expects a string, a list or an object as argument 1 and got 5"],
  ["length(null)", "got null"],
  ["keys(inputs.words)", "`keys` expects an object as argument 1 and got a list"],
  ["first('abc')", "expects a list"],
  ["upper(5)", "`upper` expects a string"],
  ["split('abc', '')", "not empty"],
  ["replace('abc', '', 'x')", "not empty"],
  ["concat('a', inputs.words)", "expects a string as argument 2"],
  ["concat(inputs.words, 'a')", "expects a list as argument 2"],
  ["has('text', 'a')", "expects an object"],
  ["range(10001)", "at most 10000"],
  ["range(0, 10, 0)", "not 0"],
  ["range(1.5)", "expects a whole number"],
  ["range(0, 9007199254740991)", "at most 10000"],
  ["format('{0')", "doubled brace"],
  ["format('{a}', 1)", "doubled brace"],
  ["format('{01}', 1)", "doubled brace"],
  ["format('}', 1)", "doubled brace"],
  ["format('{1}', 1)", "no value for `{1}`"],
  ["format('{99999999999999999999}', 1)", "doubled brace"],
  ["join(inputs.words, 5)", "expects a string as argument 2"],
  ["fromJSON('{')", "`fromJSON` expects a string that is JSON"],
  ["fromJSON('')", "`fromJSON` expects a string that is JSON"],
  ["fromJSON('{\"__proto__\":{}}')", "`__proto__`"],
  ["fromJSON('[{\"__proto__\":{}}]')", "`__proto__`"],
];

test.each(failures)("%s fails: %s", (expression, message) => {
  const result = evaluate(expression);
  expect(result).toMatchObject({ ok: false, reason: expect.stringMatching(/invalid|limit/) });
  expect(result.ok ? "" : result.message).toContain(message);
});

/** Each would give a text or a list far beyond what memory holds, were it not measured first. */
test.each([
  ["join(range(10000), inputs.big)"],
  ["replace(inputs.big, 'x', inputs.big)"],
  [`format('${"{0}".repeat(1000)}', inputs.big)`],
  [`concat(${Array.from({ length: 20 }, () => "inputs.big").join(", ")})`],
  ["toJSON(concat(split(replace(inputs.big, 'x', 'x,'), ','), split(replace(inputs.big, 'x', 'x,'), ',')))"],
  [`length(concat(${Array.from({ length: 200 }, () => "range(10000)").join(", ")}))`],
  [`toString(concat(${Array.from({ length: 3 }, () => "split(join(range(10000), '------------'), '-')").join(", ")}))`],
])("refuses the size of %s", (expression) => {
  expect(evaluate(expression)).toMatchObject({ ok: false, reason: "limit" });
});

test("refuses JSON nested deeper than a hundred levels, however deep it is", () => {
  for (const depth of [102, 5_000, 400_000]) {
    const text = `\${{ fromJSON(inputs.deep) }}`;
    const template = parseTemplate(text);
    if (isProblems(template)) throw new Error("the template has problems");
    const deep = "[".repeat(depth) + "]".repeat(depth);
    expect(evaluateTemplate(template, { inputs: { deep } })).toMatchObject({ ok: false, reason: "limit" });
  }
});

test("ends on data that contains itself", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  for (const expression of [
    "toJSON(inputs.cycle)",
    "toString(inputs.cycle)",
    "unique(concat(inputs.list, inputs.list))",
  ]) {
    const template = parseTemplate(`\${{ ${expression} }}`);
    if (isProblems(template)) throw new Error("the template has problems");
    expect(evaluateTemplate(template, { inputs: { cycle, list: [cycle] } })).toMatchObject({
      ok: false,
      reason: "limit",
    });
  }
});

test("covers every function in this table", () => {
  const used = rows.map(([expression]) => expression.toLowerCase()).join("\n");
  expect(FUNCTION_NAMES.filter((name) => !used.includes(`${name.toLowerCase()}(`))).toEqual([]);
});

test("does not change its arguments", () => {
  const before = JSON.stringify(inputs);
  for (const [expression] of rows) evaluate(expression);
  expect(JSON.stringify(inputs)).toBe(before);
});
