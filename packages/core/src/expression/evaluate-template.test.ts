import { expect, test } from "vitest";
import { type Evaluation, evaluateCondition, evaluateTemplate, evaluateText } from "./evaluate-template.ts";
import type { ExpressionScope } from "./evaluator.ts";
import { type Template, isProblems, parseCondition, parseTemplate } from "./parse-template.ts";

const output = {
  image: "app:1",
  count: 3,
  none: null,
  flag: false,
  empty: "",
  list: [10, 20, { name: "x" }],
  toString: "own",
  "my key": "spaced",
  Image: "capital",
};

const scope = {
  inputs: { sha: "abc", n: 2, items: [{ id: 1 }, { id: 2 }, {}] },
  steps: {
    build: { output, status: "completed", error: null },
    "my step": { output: "text", status: "completed" },
  },
  env: {},
  secrets: { TOKEN: "hunter2" },
};

function template(text: string): Template {
  const result = parseTemplate(text);
  if (isProblems(result)) throw new Error(JSON.stringify(result));
  return result;
}

function evaluate(text: string, over: ExpressionScope = scope): Evaluation {
  return evaluateTemplate(template(text), over);
}

function valueOf(text: string, over: ExpressionScope = scope): unknown {
  const result = evaluate(text, over);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

function messageOf(text: string, over: ExpressionScope = scope): string {
  const result = evaluate(text, over);
  return result.ok ? `no failure: ${JSON.stringify(result.value)}` : result.message;
}

test.each([
  ["plain", "plain"],
  ["", ""],
  ["${{ inputs.n }}", 2],
  ["${{ inputs.items }}", [{ id: 1 }, { id: 2 }, {}]],
  ["${{ steps.build.output.flag }}", false],
  ["${{ steps.build.output.none }}", null],
  ["${{ steps.build.outputs.image }}", "app:1"],
  ["${{ steps['my step'].output }}", "text"],
  ["${{ steps.build.output['my key'] }}", "spaced"],
  ["${{ steps.build.output.toString }}", "own"],
  ["${{ steps.build.output.list[1] }}", 20],
  ["${{ steps.build.output.list['1'] }}", 20],
  ["${{ steps.build.output.list[2].name }}", "x"],
  ["${{ inputs.items.*.id }}", [1, 2]],
  ["${{ inputs.*.length }}", []],
  ["${{ join(inputs.items.*.id, '+') }}", "1+2"],
  ["v${{ inputs.n }}", "v2"],
  [" ${{ inputs.n }}", " 2"],
  ["${{ inputs.sha }}:${{ steps.build.output.none }}:${{ steps.build.output.flag }}", "abc::false"],
  ["${{ inputs.items }}!", '[{"id":1},{"id":2},{}]!'],
  ["${{ 1.50 }}-${{ 0.1 }}-${{ -0 }}-${{ 0xff }}", "1.5-0.1-0-255"],
  ["${{ 'it''s ''all'' right' }}", "it's 'all' right"],
  ["${{ '${{' }}", "${{"],
  ["${{ 'A' == 'a' }}", true],
  ["${{ 1 == '1' && null == 0 && true == 1 }}", true],
  ["${{ 'b' > 'A' }}", true],
  ["${{ inputs.sha && 'yes' || 'no' }}", "yes"],
  ["${{ !inputs.n }}", false],
  ["${{ steps.build.output == steps.build.output }}", true],
  ["${{ fromJSON('[1]') == fromJSON('[1]') }}", false],
])("evaluates %s", (text, expected) => {
  expect(valueOf(text)).toEqual(expected);
});

test("passes a whole value on without a copy", () => {
  expect(valueOf("${{ steps.build.output }}")).toBe(output);
});

test("reads members exactly as they are spelled, and the names of contexts in any case", () => {
  expect(valueOf("${{ STEPS.build.output.Image }}")).toBe("capital");
  expect(messageOf("${{ inputs.SHA }}")).toContain("did you mean `sha`?");
});

test("tells a member that is null from one that is not there", () => {
  expect(evaluate("${{ steps.build.output.none }}")).toEqual({ ok: true, value: null });
  expect(evaluate("${{ steps.build.output.gone }}")).toMatchObject({ ok: false, reason: "unresolved" });
  expect(valueOf("${{ has(steps.build.output, 'none') }}")).toBe(true);
  expect(valueOf("${{ has(steps.build.output, 'gone') }}")).toBe(false);
});

test.each([
  ["${{ steps.build.output.gone || 'other' }}", "other"],
  ["${{ steps.build.output.gone.deep.er || 'other' }}", "other"],
  ["${{ steps.gone.output.x || 'other' }}", "other"],
  ["${{ default(steps.build.output.gone, 'other') }}", "other"],
  ["${{ default(steps.build.output.none, 'other') }}", "other"],
  ["${{ default(steps.build.output.flag, 'other') }}", false],
  ["${{ default(first(fromJSON('[]')), 'other') }}", "other"],
  ["${{ steps.build.output.gone == null }}", true],
  ["${{ steps.build.output.gone != 'x' }}", true],
  ["${{ steps.build.output.gone > 1 }}", false],
  ["${{ !steps.build.output.gone }}", true],
  ["${{ has(steps.gone.output, 'x') }}", false],
  ["${{ case(steps.build.status == 'completed', 'done', steps.build.output.gone) }}", "done"],
])("accepts an undefined member in %s", (text, expected) => {
  expect(valueOf(text)).toEqual(expected);
});

test.each([
  ["${{ steps.build.output.gone }}"],
  ["x${{ steps.build.output.gone }}"],
  ["${{ steps.build.output.gone.deeper }}"],
  ["${{ steps.build.output.gone && 'x' }}"],
  ["${{ steps.build.output.gone || inputs.gone }}"],
  ["${{ default(inputs.gone, inputs.missing) }}"],
  ["${{ upper(inputs.gone) }}"],
  ["${{ toJSON(inputs.gone) }}"],
  ["${{ contains(inputs.gone, 'x') }}"],
  ["${{ inputs[inputs.gone] }}"],
  ["${{ item }}"],
  ["${{ item.x }}"],
  ["${{ first(fromJSON('[]')) }}"],
  ["${{ case(false, 1, inputs.gone) }}"],
  ["${{ inputs.items[3] }}"],
  ["${{ inputs.items[-1] }}"],
  ["${{ inputs.items['x'] }}"],
  ["${{ inputs.sha.length }}"],
  ["${{ steps.build.error.code }}"],
])("fails when the result is undefined: %s", (text) => {
  expect(evaluate(text)).toMatchObject({ ok: false, reason: "unresolved" });
});

test.each([
  ["${{ steps.build.output.imge }}", "`steps.build.output.imge` is undefined"],
  ["${{ steps.build.output.imge }}", "did you mean `image`?"],
  ["${{ steps['my step'].output.x }}", "`steps['my step'].output` is a string"],
  ["${{ steps['my-step'].output }}", "`steps.my-step` is undefined: `steps` has `build`, `my step`"],
  ["${{ inputs.items[7].id }}", "`inputs.items[7]` is undefined: `inputs.items` is a list of 3 items"],
  ["${{ inputs.items.length }}", "write `length(…)`"],
  ["${{ env.HOME }}", "`env` is empty"],
  ["${{ item.x }}", "`item` has no value here"],
  ["${{ inputs[inputs.sha] }}", "`inputs[inputs.sha]` is undefined"],
  ["${{ upper(inputs.gone) }}", "wrap it in `default(…, …)`"],
  ["${{ fromJSON('{}').x }}", "`fromJSON(…).x` is undefined"],
  ["${{ (inputs || env).gone }}", "`(…).gone` is undefined: `(…)` has `sha`"],
  ["${{ inputs['it''s'] }}", "`inputs['it''s']` is undefined"],
  ["${{ inputs.items[add(1, 8)] }}", "`inputs.items[add(…)]` is undefined"],
])("explains why %s has no value", (text, part) => {
  expect(messageOf(text)).toContain(part);
});

test("lists at most ten of the members that exist, and shortens long ones", () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`member${index}`.padEnd(80, "x"), index]));
  const message = messageOf("${{ inputs.absent }}", { inputs: many });
  expect(message).toContain("and 15 more");
  expect(message.length).toBeLessThan(1_000);
});

test("never shows a value in a message", () => {
  for (const text of [
    "${{ secrets.TOKN }}",
    "${{ fromJSON(secrets.TOKEN) }}",
    "${{ add(secrets.TOKEN, 1) }}",
    "${{ toNumber(secrets.TOKEN) }}",
    "${{ secrets.TOKEN.x }}",
    "${{ inputs[secrets.TOKEN] }}",
    "${{ format('{1}', secrets.TOKEN) }}",
  ]) {
    const message = messageOf(text);
    expect(message).not.toContain("no failure");
    expect(message).not.toContain("hunter2");
  }
});

test("asks a scope only for what an expression touches", () => {
  const asked: string[] = [];
  const lazy = {
    get steps(): unknown {
      asked.push("steps");
      return {
        get build(): unknown {
          asked.push("build");
          return { output: { x: 1 } };
        },
        get other(): unknown {
          asked.push("other");
          return {};
        },
      };
    },
  };
  expect(valueOf("${{ steps.build.output.x }}", lazy)).toBe(1);
  expect(asked).toEqual(["steps", "build"]);
});

test("takes a function for a scope", () => {
  const fromFunction = { get: (context: string) => (context === "inputs" ? { a: 1 } : undefined) };
  expect(valueOf("${{ inputs.a }}", fromFunction)).toBe(1);
  expect(messageOf("${{ env.A }}", fromFunction)).toContain("has no value here");
});

test("lets an exception of the scope pass", () => {
  const broken = {
    get inputs(): unknown {
      throw new RangeError("not loaded");
    },
  };
  expect(() => evaluate("${{ inputs.a }}", broken)).toThrow("not loaded");
});

test.each([
  ["${{ NaN }}", "not JSON"],
  ["${{ Infinity }}", "not JSON"],
  ["${{ inputs[inputs] }}", "a string or a number, not by an object"],
  ["${{ case('x', 1, 2) }}", "expects true or false as argument 1"],
])("fails on %s", (text, part) => {
  expect(evaluate(text)).toMatchObject({ ok: false, reason: "invalid" });
  expect(messageOf(text)).toContain(part);
});

test.each([[new Date(0)], [new Map()], [() => 1], [Symbol("x")], [10n]])(
  "refuses a value that is not JSON: %s",
  (value) => {
    expect(evaluate("${{ inputs.a }}", { inputs: { a: value } })).toMatchObject({ ok: false, reason: "invalid" });
  },
);

test.each([
  ["constructor", "inputs.constructor"],
  ["prototype", "inputs.a.prototype"],
  ["a method", "inputs.hasOwnProperty"],
  ["a method of a string", "inputs.text['trim']"],
  ["a method of a list", "inputs.list.map"],
  ["an index beyond", "inputs.list['constructor']"],
])("does not reach %s of the language", (_, expression) => {
  const data = { inputs: { a: {}, text: "x", list: [1] } };
  expect(evaluate(`\${{ ${expression} }}`, data)).toMatchObject({ ok: false, reason: "unresolved" });
});

test("reads `constructor` where it is data, and never `__proto__`", () => {
  const inputs: unknown = JSON.parse('{"constructor":"Ferrari","__proto__":{"x":1}}');
  expect(valueOf("${{ inputs.constructor }}", { inputs })).toBe("Ferrari");
  expect(evaluate("${{ inputs[format('__{0}__', 'proto')] }}", { inputs })).toMatchObject({ ok: false });
  expect(evaluate("${{ inputs[format('__{0}__', 'proto')] }}", { inputs: {} })).toMatchObject({ ok: false });
});

test("does not take contexts from the prototype of a scope", () => {
  const inherited = Object.create({ inputs: { a: 1 } }) as Record<string, unknown>;
  expect(evaluate("${{ inputs.a }}", inherited)).toMatchObject({ ok: false });
});

function limited(text: string, maxTextBytes: number): Evaluation {
  return evaluateTemplate(template(text), scope, { maxTextBytes });
}

test("limits the text that a template gives, in bytes", () => {
  expect(limited("${{ inputs.sha }}${{ inputs.sha }}", 6)).toEqual({ ok: true, value: "abcabc" });
  expect(limited("${{ inputs.sha }}${{ inputs.sha }}", 5)).toMatchObject({ ok: false, reason: "limit" });
  expect(limited("${{ 'ääää' }}", 7)).toMatchObject({ ok: false, reason: "limit" });
  expect(limited("${{ 'ääää' }}", 8)).toMatchObject({ ok: true });
  expect(limited("${{ '😀' }}", 4)).toMatchObject({ ok: true });
  expect(limited("${{ '😀' }}", 3)).toMatchObject({ ok: false, reason: "limit" });
});

test.each([
  ["${{ inputs.items }}", '[{"id":1},{"id":2},{}]'],
  ["${{ steps.build.output.none }}", ""],
  ["${{ inputs.n }}", "2"],
  ["plain", "plain"],
])("gives %s as text", (text, expected) => {
  expect(evaluateText(template(text), scope)).toEqual({ ok: true, value: expected });
});

test("gives no text with a NUL character to a process", () => {
  expect(evaluateText(template("${{ inputs.a }}"), { inputs: { a: "x\0y" } })).toMatchObject({
    ok: false,
    reason: "invalid",
  });
});

test.each([
  ["true", true],
  ["false", false],
  ["null", false],
  ["0", false],
  ["NaN", false],
  ["''", false],
  ["'0'", true],
  ["'false'", true],
  ["1", true],
  ["fromJSON('[]')", true],
  ["fromJSON('{}')", true],
  ["steps.build.status == 'completed'", true],
  ["!steps.build.output.gone", true],
  ["steps.build.output.gone == 'x'", false],
])("takes the condition %s for %s", (text, expected) => {
  const condition = parseCondition(text);
  expect(isProblems(condition) ? condition : evaluateCondition(condition, scope)).toEqual({
    ok: true,
    value: expected,
  });
});

test("fails on a condition whose result is undefined", () => {
  const condition = parseCondition("steps.build.output.gone && inputs.n");
  expect(isProblems(condition) ? condition : evaluateCondition(condition, scope)).toMatchObject({
    ok: false,
    reason: "unresolved",
  });
});

test("decides a template that is no single expression by its text", () => {
  expect(evaluateCondition(template("${{ steps.build.output.empty }}${{ steps.build.output.none }}"), scope)).toEqual({
    ok: true,
    value: false,
  });
  expect(evaluateCondition(template("no"), scope)).toEqual({ ok: true, value: true });
  expect(evaluateCondition(template(""), scope)).toEqual({ ok: true, value: false });
});
