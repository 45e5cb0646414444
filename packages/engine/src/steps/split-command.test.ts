import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { splitCommand } from "./split-command.ts";

test.each([
  { text: "argocd apps sync", words: ["argocd", "apps", "sync"] },
  { text: "  a\t b  ", words: ["a", "b"] },
  { text: `a 'b c' "d e" f\\ g`, words: ["a", "b c", "d e", "f g"] },
  { text: `a '' ""`, words: ["a", "", ""] },
  { text: `a'b'"c"d`, words: ["abcd"] },
  { text: String.raw`'a\b' "c\"d\\e\f\$"`, words: [String.raw`a\b`, String.raw`c"d\e\f$`] },
  { text: 'a \\\n  b "c\\\nd"', words: ["a", "b", "cd"] },
  { text: "echo $HOME *.ts ~ `x` {a,b} a=1&b=2", words: ["echo", "$HOME", "*.ts", "~", "`x`", "{a,b}", "a=1&b=2"] },
  { text: "say '|' \\; '!x'", words: ["say", "|", ";", "!x"] },
  { text: "a ${{ inputs.x || 'b  }} c' }} d", words: ["a", "${{ inputs.x || 'b  }} c' }}", "d"] },
  {
    text: "--app=${{ x }}-${{ y }} \"v ${{ f(\"a\") }} w\" '${{ 'it''s' }}'",
    words: ["--app=${{ x }}-${{ y }}", 'v ${{ f("a") }} w', "${{ 'it''s' }}"],
  },
])("splits $text", ({ text, words }) => {
  expect(splitCommand(text)).toEqual({ kind: "argv", words });
});

test.each([
  { text: "!git checkout main", script: "git checkout main" },
  { text: " ! echo 'a' | cat > b\n", script: "echo 'a' | cat > b" },
])("takes $text for a script", ({ text, script }) => {
  expect(splitCommand(text)).toEqual({ kind: "shell", script });
});

test.each([
  { text: "  ", message: "The command is empty." },
  { text: "!", message: "The command has no script after `!`." },
  { text: "a 'b", message: "The command has a ' without its partner." },
  { text: 'a "b', message: 'The command has a " without its partner.' },
  { text: "a \\", message: "The command ends with a backslash." },
  { text: "a ${{ b", message: "The command has a `${{` without its `}}`." },
  { text: "a\nb", message: "several lines" },
  {
    text: "rm -r out && make",
    message: "holds `&&`, which means nothing without a shell. Begin it with `!`, or quote `&&`.",
  },
  { text: "git log | head", message: "holds `|`" },
  { text: "a > b", message: "holds `>`" },
])("refuses $text", ({ text, message }) => {
  expect(splitCommand(text)).toMatchObject({ kind: "invalid", message: expect.stringContaining(message) as string });
});

test("splits as a shell does, for texts that a shell expands nothing in", () => {
  const character = fc.constantFrom("a", "b", " ", "'", '"', "\\", "=", "-");
  const texts = fc.sample(fc.string({ unit: character, minLength: 1, maxLength: 12 }), { numRuns: 300, seed: 7 });
  const cases = texts.flatMap((text) => {
    const split = splitCommand(text);
    return split.kind === "argv" ? [{ text, words: split.words }] : [];
  });
  expect(cases.length).toBeGreaterThan(50);
  // One shell for all of them: each line of words is set as the arguments and printed between bars.
  const script = cases.map(({ text }) => `set -- ${text}\nprintf '<%s>' "$@"; echo`).join("\n");
  const printed = execFileSync("sh", ["-c", script], { encoding: "utf8" });
  expect(printed).toBe(cases.map(({ words }) => `${words.map((word) => `<${word}>`).join("")}\n`).join(""));
});

test("takes any text without throwing", () => {
  const unit = fc.constantFrom("a", " ", "\n", "'", '"', "\\", "!", "|", "$", "{{", "}}", "${{", "\0", "\ud800", "😀");
  fc.assert(
    fc.property(fc.string({ unit }), (text) => ["argv", "shell", "invalid"].includes(splitCommand(text).kind)),
    { numRuns: 2_000 },
  );
});
