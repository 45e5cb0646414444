import { expect, test } from "vitest";
import type { Diagnostic } from "./diagnostic.ts";
import { formatDiagnostic } from "./format-diagnostic.ts";
import { parseYaml } from "./parse-text.ts";

const diagnostic: Diagnostic = {
  code: "unknown_key",
  severity: "error",
  message: "`timeot` is not a key of a step.",
  hint: "Did you mean `timeout`?",
  path: "/steps/0/timeot",
  line: 3,
  column: 5,
};

test("shows the place, the line with a mark, and the hint", () => {
  const text = "steps:\n  - run: make\n    timeot: 5\n";
  const [found] = parseYaml(text).diagnostics;
  expect(found).toEqual(diagnostic);
  expect(formatDiagnostic(diagnostic, { text, file: "release.yaml" })).toBe(
    [
      "release.yaml:3:5  error  `timeot` is not a key of a step.  [unknown_key]",
      "  3 |     timeot: 5",
      "    |     ^",
      "    = Did you mean `timeout`?",
    ].join("\n"),
  );
});

test("shows what it knows", () => {
  const { line: _line, column: _column, hint: _hint, ...bare } = diagnostic;
  expect(formatDiagnostic(bare)).toBe("error  `timeot` is not a key of a step.  [unknown_key]");
  expect(formatDiagnostic(bare, { file: "a.yaml" })).toBe(
    "a.yaml  error  `timeot` is not a key of a step.  [unknown_key]",
  );
  expect(formatDiagnostic({ ...diagnostic, severity: "warning" }).split("\n")[0]).toBe(
    "3:5  warning  `timeot` is not a key of a step.  [unknown_key]",
  );
  expect(formatDiagnostic(diagnostic, { text: "one line" }).split("\n")).toHaveLength(2);
});

function excerpt(line: string, column: number): readonly string[] {
  return formatDiagnostic({ ...diagnostic, line: 1, column }, { text: `${line}\r\nnext` })
    .split("\n")
    .slice(1, 3);
}

test("the mark stands below its column, also after tabs", () => {
  expect(excerpt("\t\tx: 1", 3)).toEqual(["  1 |   x: 1", "    |   ^"]);
  expect(excerpt("ab", 3)).toEqual(["  1 | ab", "    |   ^"]);
});

test("control characters of the file do not reach the terminal", () => {
  const shown = formatDiagnostic(
    { ...diagnostic, line: 1, column: 1 },
    { text: "a\u001b[2J\u202eb\u0000", file: "\u001b[1m.yaml" },
  );
  for (const character of ["\u001b", "\u202e", "\u0000"]) expect(shown).not.toContain(character);
  expect(shown).toContain("a?[2J?b?");
});

test("a long line is shown around its column", () => {
  const line = `${"a".repeat(5000)}X${"b".repeat(5000)}`;
  const [shown = "", mark = ""] = excerpt(line, 5001);
  expect(shown.length).toBeLessThan(120);
  expect(shown[mark.indexOf("^")]).toBe("X");
});
