import { expect, test } from "vitest";
import { type Template, isProblems, parseCondition, parseTemplate } from "./parse-template.ts";
import { type ExpressionProblem, lineAndColumn } from "./problem.ts";

function parsed(text: string, extraContexts: readonly string[] = []): Template {
  const result = parseTemplate(text, { extraContexts });
  if (isProblems(result)) throw new Error(JSON.stringify(result));
  return result;
}

function problemsOf(text: string): readonly ExpressionProblem[] {
  const result = parseTemplate(text);
  return isProblems(result) ? result : [];
}

/** References as `context/path…`, with `*` where the path goes on unknown. */
function referencesOf(text: string): string[] {
  return parsed(text).references.map(({ context, path, dynamic }) =>
    [context, ...path, ...(dynamic ? ["*"] : [])].join("/"),
  );
}

test.each([
  ["${{ inputs.sha }}", ["inputs/sha"]],
  ["${{ steps.build.output.image }}", ["steps/build/output/image"]],
  ["${{ steps.build.outputs.image }}", ["steps/build/output/image"]],
  ["${{ steps['my step'].output['a.b'] }}", ["steps/my step/output/a.b"]],
  ["${{ steps['it''s ''quoted'''].status }}", ["steps/it's 'quoted'/status"]],
  ["${{ steps.build.output.list[0].name }}", ["steps/build/output/list/0/name"]],
  ["${{ (steps.build).output }}", ["steps/build/output"]],
  ["${{ steps.a.output[inputs.key].x }}", ["steps/a/output/*", "inputs/key"]],
  ["${{ steps[item].status }}", ["steps/*", "item"]],
  ["${{ steps.*.output }}", ["steps/*"]],
  ["${{ errors.*.message }}", ["errors/*"]],
  ["${{ add(index, 1) == 2 && !run.id || (env.A > secrets.B) }}", ["index", "run/id", "env/A", "secrets/B"]],
  ["${{ fromJSON(inputs.json).a[context.b] }}", ["inputs/json", "context/b"]],
  ["${{ (inputs.a || inputs.b).c }}", ["inputs/a", "inputs/b"]],
  ["${{ INPUTS.a }} ${{ Steps.b.status }}", ["inputs/a", "steps/b/status"]],
  ["${{ 'no reference to inputs.x' }}", []],
  ["${{ inputs.steps.build }}", ["inputs/steps/build"]],
])("reads the references of %s", (text, expected) => {
  expect(referencesOf(text)).toEqual(expected);
});

test("gives the place of each reference in the whole text, also behind strings with line breaks", () => {
  const text = "x ${{ format('a\n''b''', inputs.one,\n  env.TWO) }} ${{ run.id }}";
  const places = parsed(text).references.map(({ offset }) => text.slice(offset).split(/[ .,)]/, 1)[0]);
  expect(places).toEqual(["inputs", "env", "run"]);
  expect(lineAndColumn(text, text.indexOf("env.TWO"))).toEqual({ line: 3, column: 3 });
});

test("knows a map's own name for its item", () => {
  expect(parsed("${{ region.name }}", ["region"]).references[0]).toMatchObject({ context: "region", path: ["name"] });
  expect(problemsOf("${{ region.name }}")).toHaveLength(1);
});

test.each([
  ["${{ stpes.a.output }}", "unknown_reference", "did you mean `steps`?"],
  ["${{ foo.bar }}", "unknown_reference", "known names: `inputs`"],
  ["${{ vars.x }}", "unknown_reference", "inputs.<name>"],
  ["${{ needs.build.outputs.x }}", "unknown_reference", "steps.<id>.output"],
  ["${{ matrix.os }}", "unknown_reference", "forEach"],
  ["${{ steps }}", "unknown_reference", "steps.<id>.output"],
  ["${{ toJSON(steps) }}", "unknown_reference", "steps.<id>.output"],
  ["${{ steps.build }}", "unknown_reference", "write `steps.build.output`"],
  ["${{ steps['my step'] }}", "unknown_reference", "write `steps['my step'].output`"],
  ["${{ steps.build.outpt.x }}", "unknown_reference", "did you mean `steps.build.output`?"],
  ["${{ steps.build.image }}", "unknown_reference", "`steps.build.output.image`"],
  ["${{ steps.build[inputs.x] }}", "unknown_reference", "write `steps.build.output`"],
  ["${{ steps[item] }}", "unknown_reference", "write `steps[…].output`"],
  ["${{ inputs.__proto__ }}", "unknown_reference", ""],
  ["${{ steps['__proto__'].output }}", "unknown_reference", ""],
  ["${{ startWith('a', 'b') }}", "expression_syntax", "did you mean `startsWith`?"],
  ["${{ hashFiles('**') }}", "expression_syntax", "in a step"],
  ["${{ constructor('x') }}", "expression_syntax", ""],
  ["${{ __proto__('x') }}", "expression_syntax", ""],
  ["${{ add(1) }}", "expression_syntax", ""],
  ["${{ trim('a', 'b') }}", "expression_syntax", ""],
  ["${{ case(true, 1) }}", "expression_syntax", ""],
  ["${{ case(true, 1, false, 2) }}", "expression_syntax", ""],
  ["${{ }}", "expression_syntax", ""],
  ['${{ inputs.a == "x" }}', "expression_syntax", "single quotes"],
  ["${{ inputs.a + 1 }}", "expression_syntax", "add(a, b)"],
  ["${{ inputs.a -1 }}", "expression_syntax", "sub(a, b)"],
  ["${{ inputs.a * 2 }}", "expression_syntax", "mul(a, b)"],
  ["${{ inputs.a ? 1 : 2 }}", "expression_syntax", "case("],
  ["${{ inputs.a ?? 1 }}", "expression_syntax", "default("],
  ["${{ inputs.a = 1 }}", "expression_syntax", "`==`"],
  ["${{ inputs.a | upper }}", "expression_syntax", "function call"],
  ["${{ inputs.a.toString() }}", "expression_syntax", "only the listed functions"],
  ["${{ inputs.a", "expression_syntax", "'${{'"],
  ["${{ it's }}", "expression_syntax", "doubled"],
  ["${{ (inputs.a }}", "expression_syntax", ""],
  ["${{ inputs. }}", "expression_syntax", ""],
  ["${{ [1, 2] }}", "expression_syntax", ""],
  [`\${{ ${"(".repeat(60)}1${")".repeat(60)} }}`, "limit_exceeded", ""],
  [`\${{ ${"!".repeat(60)}true }}`, "limit_exceeded", ""],
  [`\${{ inputs${".a".repeat(60)} }}`, "limit_exceeded", ""],
  [`\${{ 1${" == 1".repeat(60)} }}`, "limit_exceeded", ""],
  [`\${{ '${"x".repeat(10_001)}' }}`, "limit_exceeded", ""],
])("refuses %s", (text, code, hint) => {
  const [problem, ...more] = problemsOf(text);
  expect(more).toEqual([]);
  expect(problem).toMatchObject({ code, severity: "error" });
  expect(problem?.hint ?? "").toContain(hint);
});

test.each(["success", "failure", "always", "cancelled"])("names edges and joins instead of %s()", (name) => {
  const [problem] = problemsOf(`\${{ ${name}() }}`);
  expect(problem?.hint).toContain("on: failure");
  expect(problem?.hint).toContain("join: settled");
});

test("reports all unknown names of all expressions at once, each at its place", () => {
  const text = "${{ foo.x && bar(baz) }} and ${{ qux }}";
  const places = problemsOf(text).map(({ offset, length }) => text.slice(offset, offset + length));
  expect(places).toEqual(["foo", "bar", "baz", "qux"]);
});

test.each([
  ["${{ inputs.a + 1 }}", "+"],
  ["${{ 'a' == \n 'b' == }}", "=="],
  ["ab ${{ contains('x') }}", "contains"],
  ["${{ 'it''s\n' inputs }}", "inputs"],
])("points at the part of %s that cannot be read", (text, part) => {
  const [problem] = problemsOf(text);
  expect(text.slice(problem?.offset, (problem?.offset ?? 0) + (problem?.length ?? 0))).toBe(part);
  expect(problem?.offset).toBe(text.lastIndexOf(part));
});

test("takes the characters of an expression from a string of one", () => {
  expect(parsed("${{ '${{ x }}' }}").parts).toHaveLength(1);
});

test("parses a text once", () => {
  expect(parseTemplate("${{ inputs.cached }}")).toBe(parseTemplate("${{ inputs.cached }}"));
  expect(parseTemplate("${{ inputs.cached }}", { extraContexts: ["x"] })).not.toBe(
    parseTemplate("${{ inputs.cached }}"),
  );
});

test("keeps no more than a bounded number of parsed texts", () => {
  const first = parseTemplate("${{ inputs.first }}");
  for (let index = 0; index < 2_000; index += 1) parseTemplate(`\${{ inputs.n${index} }}`);
  expect(parseTemplate("${{ inputs.first }}")).not.toBe(first);
});

test.each(["inputs.a == 'x'", "${{ inputs.a == 'x' }}", "  ${{ inputs.a == 'x' }}\n"])(
  "reads %j as a condition",
  (text) => {
    const condition = parseCondition(text);
    expect(isProblems(condition)).toBe(false);
    expect(isProblems(condition) ? [] : condition.references).toEqual([
      { context: "inputs", path: ["a"], dynamic: false, offset: text.indexOf("inputs") },
    ]);
  },
);

test.each(["${{ inputs.a }} == 'x'", "${{ inputs.a }} && ${{ inputs.b }}", "not ${{ inputs.a }}"])(
  "refuses the condition %s, which would always be true",
  (text) => {
    const condition = parseCondition(text);
    expect(isProblems(condition) && condition[0]?.message).toContain("true whatever");
  },
);

test.each(["", "  ", "${{ }}", "${{ a", "inputs.a ==", "success()"])("refuses the condition %j", (text) => {
  expect(isProblems(parseCondition(text))).toBe(true);
});
