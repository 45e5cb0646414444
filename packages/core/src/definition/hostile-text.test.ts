import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson, parseYaml } from "./parse-text.ts";

const MIB = 1_048_576;

function laughs(): string {
  const lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"];
  for (const [before, name] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].map((pair) => pair.split(""))) {
    lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`);
  }
  return lines.join("\n");
}

test.each<[string, string, string]>([
  ["a text of 5 MiB", "x".repeat(5 * MIB), "limit_exceeded"],
  ["a text one byte too long", `# ${"x".repeat(MIB - 1)}`, "limit_exceeded"],
  ["a text that is too long only as UTF-8", `# ${"é".repeat(MIB / 2)}`, "limit_exceeded"],
  ["lists 5,000 deep", "[".repeat(5000) + "]".repeat(5000), "limit_exceeded"],
  ["a MiB of open lists", "[".repeat(MIB), "limit_exceeded"],
  ["a MiB of open mappings", "{a: ".repeat(MIB / 4), "limit_exceeded"],
  ["a MiB of lists in lists on one line", "- ".repeat(MIB / 2), "limit_exceeded"],
  ["a MiB of explicit keys", "? ".repeat(MIB / 2), "limit_exceeded"],
  [
    "mappings 1,400 deep by indentation",
    Array.from({ length: 1400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    "limit_exceeded",
  ],
  ["billions of laughs", laughs(), "yaml_syntax"],
  ["a reference to itself", "a: &a\n  b: *a\nsteps: [{run: x}]\n", "yaml_syntax"],
  ["a MiB of brackets that close nothing", "]".repeat(MIB), "limit_exceeded"],
  ["a MiB of commas", `[${",".repeat(MIB - 1)}`, "limit_exceeded"],
  ["a MiB of documents", "---\n".repeat(MIB / 4), "yaml_syntax"],
  ["a MiB of anchors", "&a ".repeat(Math.floor(MIB / 3)), "limit_exceeded"],
])("%s is refused", { timeout: 30_000 }, (_, text, code) => {
  const { definition, diagnostics } = parseYaml(text);
  expect(definition).toBeNull();
  const refusal = diagnostics.find((diagnostic) => diagnostic.code === code);
  expect(refusal).toMatchObject({ severity: "error" });
  expect(Math.min(refusal?.line ?? 0, refusal?.column ?? 0)).toBeGreaterThan(0);
  expect(diagnostics.length).toBeLessThan(1002);
});

function nested(levels: number): string {
  return `steps: [{run: x}]\noutput: ${"[".repeat(levels)}${"]".repeat(levels)}\n`;
}

test("a hundred levels are read, and one more is refused with its place", () => {
  expect(parseYaml(nested(99)).diagnostics).toEqual([]);
  expect(parseYaml(nested(100)).diagnostics).toMatchObject([{ code: "limit_exceeded", line: 2 }]);
  expect(parseYaml(nested(101)).diagnostics).toMatchObject([{ code: "limit_exceeded", line: 2 }]);
  expect(parseYaml(nested(5000)).diagnostics).toMatchObject([{ code: "limit_exceeded", line: 2 }]);
});

test("twenty thousand keys in one mapping are read", () => {
  const text = `steps: [{run: x}]\noutput:\n${Array.from({ length: 20_000 }, (_, index) => `  k${index}:`).join("\n")}\n`;
  const { definition, diagnostics } = parseYaml(text);
  expect(diagnostics).toEqual([]);
  expect(Object.keys(definition?.output ?? {})).toHaveLength(20_000);
});

test("the name of a key cannot forge a message", () => {
  const [diagnostic] = parseYaml('"\\e[2Jx\\n\\u202e": 1\nsteps: [{run: x}]\n').diagnostics;
  expect(diagnostic?.message).toBe("`\\u001b[2Jx\\n\\u202e` is not a key of a workflow.");
});

const ALPHABET = Array.from("absteps:run- \n\t[]{},&*!|>'\"%@`#?~.0123<\\e\u0000\ud83d\u{1f600}");

test("no text makes the parser throw", { timeout: 30_000 }, () => {
  const texts = fc.oneof(
    fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 60 }).map((text) => `steps:\n  - run: x\n    ${text}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const parsed of [parseYaml(text), parseJson(text)]) {
        const hasErrors = parsed.diagnostics.some(({ severity }) => severity === "error");
        expect(parsed.definition === null).toBe(hasErrors);
        for (const { line, column } of parsed.diagnostics) expect(Math.min(line ?? 0, column ?? 0)).toBeGreaterThan(0);
      }
    }),
    { numRuns: 500 },
  );
});
