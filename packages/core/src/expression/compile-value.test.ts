import { expect, test } from "vitest";
import { compileValue, evaluateValue, mapTemplates } from "./compile-value.ts";

const scope = { inputs: { n: 2, list: [1], region: "eu" }, steps: { build: { output: { image: "app" } } } };

test("evaluates every string with a template and keeps the types", () => {
  const compiled = compileValue({
    image: "${{ steps.build.output.image }}",
    count: "${{ inputs.n }}",
    tags: ["${{ inputs.region }}-${{ inputs.n }}", "fixed", "${{ inputs.list }}"],
    nested: { deep: [{ n: "${{ inputs.n }}" }] },
    number: 5,
    nothing: null,
  });
  expect(compiled.problems).toEqual([]);
  expect(evaluateValue(compiled, scope)).toEqual({
    ok: true,
    value: {
      image: "app",
      count: 2,
      tags: ["eu-2", "fixed", [1]],
      nested: { deep: [{ n: 2 }] },
      number: 5,
      nothing: null,
    },
  });
});

test("gives the JSON pointer of each string with its references and problems", () => {
  const compiled = compileValue({
    "a/b": { "c~d": ["", "x ${{ inputs.one }}"] },
    bad: ["${{ foo }}", "${{ bar.x + 1 }}", "${{ inputs.two }}"],
  });
  expect(compiled.references.map(({ pointer, path, offset }) => [pointer, path.join("."), offset])).toEqual([
    ["/a~1b/c~0d/1", "one", 6],
    ["/bad/2", "two", 4],
  ]);
  expect(compiled.problems.map(({ pointer, code }) => [pointer, code])).toEqual([
    ["/bad/0", "unknown_reference"],
    ["/bad/1", "expression_syntax"],
  ]);
});

test("compiles a value that is one string, and knows the names of its place", () => {
  const compiled = compileValue("${{ region }}", { extraContexts: ["region"] });
  expect(compiled.references).toMatchObject([{ context: "region", pointer: "" }]);
  expect(evaluateValue(compiled, { region: "eu" })).toEqual({ ok: true, value: "eu" });
});

test("keeps parts without a template as they are", () => {
  const fixed = { a: [1, { b: "text" }] };
  const value = { fixed, changing: "${{ inputs.n }}" };
  const result = evaluateValue(compileValue(value), scope);
  expect(result).toMatchObject({ ok: true, value: { changing: 2 } });
  expect(result.ok && (result.value as typeof value).fixed).toBe(fixed);
  const constant = compileValue(fixed);
  expect(constant.isConstant).toBe(true);
  expect(evaluateValue(constant, {})).toEqual({ ok: true, value: fixed });
});

test("names the string that has no value", () => {
  expect(evaluateValue(compileValue({ a: ["x", "${{ inputs.gone }}"] }), scope)).toMatchObject({
    ok: false,
    reason: "unresolved",
    pointer: "/a/1",
    message: expect.stringContaining("`inputs.gone` is undefined"),
  });
});

test("does not evaluate a value with problems", () => {
  expect(evaluateValue(compileValue({ a: "${{ foo }}" }), scope)).toMatchObject({ ok: false, pointer: "/a" });
});

test.each(["__proto__", "constructor", "prototype"])("refuses the key %s", (key) => {
  const value = JSON.parse(`{"a":{"${key}":{"polluted":"\${{ inputs.n }}"}}}`) as Record<string, string>;
  expect(compileValue(value).problems).toMatchObject([{ pointer: `/a/${key}`, code: "expression_syntax" }]);
  expect(mapTemplates(value, () => ({ ok: true, value: 1 }))).toMatchObject({ ok: false, pointer: `/a/${key}` });
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("refuses templates in keys", () => {
  expect(compileValue({ "${{ inputs.n }}": 1 }).problems).toMatchObject([{ message: expect.stringContaining("key") }]);
});

test("refuses nesting beyond a hundred levels, and values that contain themselves", () => {
  let deep: unknown = "${{ inputs.n }}";
  for (let level = 0; level < 100; level += 1) deep = [deep];
  expect(compileValue(deep).problems).toEqual([]);
  expect(evaluateValue(compileValue(deep), scope).ok).toBe(true);
  expect(compileValue([deep]).problems).toMatchObject([{ code: "limit_exceeded" }]);
  const cycle: unknown[] = [];
  cycle.push(cycle);
  expect(compileValue(cycle).problems).toMatchObject([{ code: "limit_exceeded" }]);
});

test("ignores inherited members", () => {
  const value = Object.create(null) as Record<string, unknown>;
  value["own"] = "${{ inputs.n }}";
  expect(evaluateValue(compileValue(value), scope)).toEqual({ ok: true, value: { own: 2 } });
  const instance = Object.create({ inherited: "${{ foo }}" }) as Record<string, unknown>;
  expect(compileValue({ instance }).isConstant).toBe(true);
});

test("maps the strings with templates and nothing else", () => {
  const seen: string[] = [];
  const result = mapTemplates({ a: "${{ x }}", b: ["plain", "y ${{ z }}"], c: { d: 1 } }, (text, pointer) => {
    seen.push(`${pointer} ${text}`);
    return { ok: true, value: seen.length };
  });
  expect(seen).toEqual(["/a ${{ x }}", "/b/1 y ${{ z }}"]);
  expect(result).toEqual({ ok: true, value: { a: 1, b: ["plain", 2], c: { d: 1 } } });
});

test("ends a map at the first failure", () => {
  const result = mapTemplates(["${{ a }}", "${{ b }}"], (text) =>
    text.includes("a") ? { ok: true, value: 1 } : { ok: false, reason: "unresolved", message: "no b" },
  );
  expect(result).toEqual({ ok: false, reason: "unresolved", message: "no b", pointer: "/1" });
});
