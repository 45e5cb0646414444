import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson, parseYaml } from "./parse-text.ts";

function problems(text: string): readonly string[] {
  return parseYaml(text).diagnostics.map(({ code, severity, line, column }) => `${severity} ${code} ${line}:${column}`);
}

test("a workflow in YAML has places for everything that is wrong", () => {
  const text = [
    "name: release",
    "timeout: soon",
    "steps:",
    "  - id: build",
    "    run: make",
    "    timeot: 5",
    "  - id: deploy",
    "    depends_on: [build, 5]",
    "    retry:",
    "      delay: ''",
    "    parallel:",
    "      - make",
  ].join("\n");
  expect(problems(text)).toEqual([
    "error invalid_value 2:10",
    "error unknown_key 6:5",
    "error invalid_value 8:25",
    "error conflicting_keys 9:5",
    "error invalid_value 12:9",
  ]);
});

test("a place is found by the canonical key and by the written one", () => {
  const { locate } = parseYaml("steps:\n  - id: a\n    depends_on:\n      - b\n    run_if: x\n    run: |\n      y\n");
  expect(locate("/steps/0")).toEqual({ line: 2, column: 5 });
  expect(locate("/steps/0/dependsOn")).toEqual({ line: 3, column: 5 });
  expect(locate("/steps/0/dependsOn/0")).toEqual({ line: 4, column: 9 });
  expect(locate("/steps/0/when")).toEqual({ line: 5, column: 13 });
  expect(locate("/steps/0/run")).toEqual({ line: 6, column: 10 });
  expect(locate("")).toEqual({ line: 1, column: 1 });
  expect(locate("/steps/1")).toBeUndefined();
  expect(locate("/steps/0/id/x")).toBeUndefined();
  expect(locate("/steps/x")).toBeUndefined();
});

test("a graph may be written in YAML", () => {
  const { definition } = parseYaml("nodes:\n  - id: a\n    type: entrypoint\n");
  expect(definition?.steps[0]?.action).toEqual({ kind: "entrypoint" });
});

test("the name of the file is the name of a workflow that has none", () => {
  expect(parseYaml("steps: [{run: x}]", { defaultName: "release" }).definition?.name).toBe("release");
});

test("YAML is version 1.2, core schema", () => {
  const text = "on: 1\nyes: no\ntime: 12:30:45\ndate: 2024-01-01\nnumber: 0o14\nhex: 0x1F\nnothing: ~\nbig: 1e3\n";
  const { partial } = parseYaml(`steps: [{run: x}]\noutput:\n${text.replaceAll(/^/gm, "  ").trimEnd()}\n`);
  expect(partial?.output).toEqual({
    on: 1,
    yes: "no",
    time: "12:30:45",
    date: "2024-01-01",
    number: 12,
    hex: 31,
    nothing: null,
    big: 1000,
  });
});

test.each<[string, string, string]>([
  ["a tab as indentation", "steps:\n\t- run: x\n", "error yaml_syntax 2:1"],
  ["a quote without its end", 'name: "x\nsteps: []\n', "error yaml_syntax 3:1"],
  ["a bracket without its end", "steps: [\n  {run: x}\n", "error yaml_syntax 3:1"],
  ["a mapping inside a value", "name: a: b\nsteps: [{run: x}]\n", "error yaml_syntax 1:7"],
  ["a backtick", "name: `x`\nsteps: [{run: x}]\n", "error yaml_syntax 1:7"],
  ["an unknown escape", 'name: "\\q"\nsteps: [{run: x}]\n', "error yaml_syntax 1:8"],
  ["a tag", "steps:\n  - command: !echo hi\n", "error yaml_syntax 2:14"],
  ["a binary tag", "name: !!binary aGk=\nsteps: [{run: x}]\n", "error yaml_syntax 1:7"],
  ["a collection as a key", "? [a]\n: b\n", "error yaml_syntax 1:3"],
  ["a template without quotes", "steps: [{run: x}]\noutput: {{ steps.a }}\n", "error yaml_syntax 2:10"],
  ["an alias", "a: &x 1\nsteps: [{run: *x}]\n", "error yaml_syntax 2:15"],
  ["a merge key", "steps:\n  - <<: {a: 1}\n    run: x\n", "error yaml_syntax 2:5"],
  ["two documents", "steps: [{run: x}]\n---\nsteps: []\n", "error yaml_syntax 2:1"],
  ["an older version", "%YAML 1.1\n---\nsteps: [{run: x}]\n", "error yaml_syntax 1:1"],
  ["an empty file", "", "error missing_value 1:1"],
  ["a file of comments", "# nothing\n\n", "error missing_value 1:1"],
  ["an empty document", "---\n", "error missing_value 1:1"],
  ["a number", "5", "error invalid_value 1:1"],
  ["an infinity", "steps: [{run: x}]\noutput: .inf\n", "error invalid_value 2:9"],
  ["NUL", 'steps: [{run: "\\0"}]\n', "error invalid_value 1:15"],
])("%s is refused with its place", (_, text, problem) => {
  expect(problems(text)).toContain(problem);
  expect(parseYaml(text).definition).toBeNull();
});

test("messages about syntax say what to do", () => {
  const [tag] = parseYaml("steps:\n  - command: !echo hi\n").diagnostics;
  expect(tag?.message).toBe("`!echo` is read as a YAML tag, not as text.");
  expect(tag?.hint).toBe('Put the value in quotes: `"!echo …"`.');
  const [tab] = parseYaml("steps:\n\t- run: x\n").diagnostics;
  expect(tab?.message).toBe("The line is indented with a tab.");
});

test("several lines with broken syntax are reported together, one problem a line", () => {
  expect(problems("a: b: c: d\nx: `y`\nsteps:\n\t- z\n").filter((text) => text.includes("yaml_syntax"))).toHaveLength(
    3,
  );
});

test("what stands beside a value with broken syntax is still checked", () => {
  expect(problems("name: `x`\ntimeot: 5\nsteps: [{run: x}]\n")).toEqual([
    "error yaml_syntax 1:7",
    "error unknown_key 2:1",
  ]);
});

test("a key that is written twice is reported with both places, and the first one counts", () => {
  const { diagnostics, partial } = parseYaml("steps:\n  - run: a\n    env: {A: 1, A: 2}\n    run: b\n");
  expect(diagnostics.map(({ code, line, column }) => [code, line, column])).toEqual([
    ["duplicate_key", 3, 17],
    ["duplicate_key", 4, 5],
  ]);
  expect(diagnostics[1]?.message).toBe("The key `run` is written twice; the first time in line 2.");
  expect(partial?.steps[0]?.action).toEqual({ kind: "run", run: "a" });
});

test.each<[string, string]>([
  ["014", "`014` is read as the number 14."],
  ["-07", "`-07` is read as the number -7."],
  ["12345678901234567890", "`12345678901234567890` is too large to be exact and is read as 12345678901234567000."],
  ["0xFFFFFFFFFFFFFFFF", "`0xFFFFFFFFFFFFFFFF` is too large to be exact and is read as 18446744073709552000."],
])("%s gets a warning", (number, message) => {
  const { definition, diagnostics } = parseYaml(`steps: [{run: x}]\noutput: ${number}\n`);
  expect(definition).not.toBeNull();
  expect(diagnostics).toMatchObject([{ severity: "warning", message, line: 2, column: 9 }]);
});

test.each(["'014'", "0.14", "0", "9007199254740991", "1e30"])("%s gets no warning", (number) => {
  expect(parseYaml(`steps: [{run: x}]\noutput: ${number}\n`).diagnostics).toEqual([]);
});

test("`__proto__` is refused as a key and changes nothing", () => {
  expect(problems("steps: [{run: x}]\noutput:\n  __proto__:\n    polluted: true\n")).toEqual([
    "error invalid_value 3:3",
  ]);
  expect(problems("constructor: 1\nsteps: [{run: x}]\n")).toEqual(["error invalid_value 1:1"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("Windows line ends and a byte order mark are read", () => {
  const { definition } = parseYaml("\ufeffname: x\r\nsteps:\r\n  - run: |\r\n      a\r\n      b\r\n");
  expect(definition).toMatchObject({ name: "x", steps: [{ action: { run: "a\nb\n" } }] });
});

test("JSON text is read with places", () => {
  const { diagnostics } = parseJson('{\n\t"steps": [\n\t\t{"run": "x", "timeot": 5}\n\t]\n}');
  expect(diagnostics).toMatchObject([{ code: "unknown_key", line: 3, column: 16 }]);
  expect(parseJson('{"steps": [{"run": "x"}]}').definition?.steps).toHaveLength(1);
});

test.each<[string, string, number, number]>([
  ["a comment", '{"steps": [{"run": "x"}]} # no', 1, 27],
  ["a comma at the end", '{\n  "steps": [\n    {"run": "x"},\n  ]\n}', 4, 3],
  ["words without quotes", '{steps: [{"run": "x"}]}', 1, 2],
  ["single quotes", '{\n\'steps\': [{"run": "x"}]}', 2, 1],
])("JSON with %s is not JSON", (_, text, ...place) => {
  const { diagnostics } = parseJson(text);
  expect(diagnostics.map(({ code, message, line, column }) => [code, message, line, column])).toEqual([
    ["yaml_syntax", "This is not JSON.", ...place],
  ]);
  expect(parseYaml(text).definition).not.toBeNull();
});

test("an empty JSON text is refused", () => {
  expect(parseJson("").diagnostics).toMatchObject([{ code: "missing_value", line: 1, column: 1 }]);
});

test("every JSON value that can be kept is read from JSON text as it is", () => {
  const keys = fc.string({ unit: "grapheme" }).filter((key) => !/^(?:__proto__|constructor|prototype)$|\0/u.test(key));
  const values = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(values, fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
      const text = JSON.stringify({ steps: [{ run: "x" }], output: [value] }, null, indent);
      const { definition, diagnostics } = parseJson(text);
      expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      expect(definition?.output).toEqual((JSON.parse(text) as { output: unknown }).output);
    }),
    { numRuns: 300 },
  );
});
