import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { evaluateText } from "./evaluate-template.ts";
import { type ScriptReferences, scriptReferences } from "./script-references.ts";

/** Each run works in this directory; a value that becomes code leaves the file `pwned` there. */
const directory = mkdtempSync(join(tmpdir(), "braid-shell-"));
const canary = join(directory, "pwned");

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const shells = ["bash", "dash"].filter((shell) => spawnSync(shell, ["-c", ":"]).status === 0);

interface Outcome {
  readonly stdout: string;
  readonly status: number | null;
}

function run(shell: string, references: ScriptReferences, value: unknown): Outcome {
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "" };
  for (const [name, template] of Object.entries(references.env)) {
    const text = evaluateText(template, { inputs: { x: value } });
    if (!text.ok) throw new Error(text.message);
    env[name] = text.value;
  }
  const { stdout, status } = spawnSync(shell, ["-e", "-c", references.script], {
    env,
    cwd: directory,
    encoding: "utf8",
  });
  return { stdout, status };
}

/** `show` prints each of its arguments on its own, so that splitting and expansion are seen. */
const SHOW = 'show() { for argument in "$@"; do printf \'<%s>\' "$argument"; done; }\n';

const hostile: readonly string[] = [
  "plain",
  "",
  "two words  and   more",
  "*",
  "-n",
  "~",
  "$HOME ${HOME} $(touch pwned) `touch pwned`",
  "'; touch pwned; '",
  '"; touch pwned; "',
  "\"'$(touch pwned)'\"",
  "\\",
  "a\\",
  "line\n$(touch pwned)\nEOF\ntouch pwned\n",
  "}; touch pwned; {",
  "a[$(touch pwned)]",
  "<(touch pwned)",
  "& touch pwned &",
  "| touch pwned",
  "${{ inputs.x }}",
  "${BRAID_EXPR_1}",
  "!! !$ ^a^b",
  "\u2028\u00a0é😀",
  "%s%n\\n\\x41\\0101",
  "=cmd --flag=$(touch pwned)",
  "\t\r\v",
];

/** Scripts and what they print for a value. */
const scripts: readonly (readonly [script: string, expected: (value: string) => string, shells?: string])[] = [
  ["show @", (value) => `<${value}>`],
  ["show @ @", (value) => `<${value}><${value}>`],
  ["show a@b", (value) => `<a${value}b>`],
  ['show "a @ b"', (value) => `<a ${value} b>`],
  ["show 'a'@'b'", (value) => `<a${value}b>`],
  ['v=@; show "$v"', (value) => `<${value}>`],
  ['export V=@; show "$V"', (value) => `<${value}>`],
  ['f() { local v=@; show "$v"; }; f', (value) => `<${value}>`],
  ['V=@ sh -c \'printf "<%s>" "$V"\'', (value) => `<${value}>`],
  ["show ${unset:-@}", (value) => `<${value}>`],
  ['show "${unset:-@}"', (value) => `<${value}>`],
  ['show "${unset:-"@"}"', (value) => `<${value}>`],
  ["case @ in '') show empty;; @) show same;; *) show other;; esac", (value) => (value === "" ? "<empty>" : "<same>")],
  ["cat <<EOF\n[@]\nEOF", (value) => `[${value}]\n`],
  ["cat <<EOF\n[${unset:-@}]\nEOF", (value) => `[${value}]\n`],
  ["cat <<-EOF\n\t[@]\n\tEOF\nshow end", (value) => `[${value}]\n<end>`],
  ['show "$(printf %s. @)"', (value) => `<${value}.>`],
  ['show "$(printf %s. "@")"', (value) => `<${value}.>`],
  ['show "`printf %s. @`"', (value) => `<${value}.>`],
  ['show "$(cat <<EOF\n@.\nEOF\n)"', (value) => `<${value}.>`],
  ["show \"$(case @ in (*) printf '%s.' @;; esac)\"", (value) => `<${value}.>`],
  ['for v in @ b; do show "$v"; done', (value) => `<${value}><b>`],
  ['sh -c \'printf "<%s>" "$1"\' _ @', (value) => `<${value}>`],
  ["if [ @ = x ]; then show x; else show @; fi", (value) => `<${value}>`],
  ["# @ it's\nshow @ # '", (value) => `<${value}>`],
  ["show {@,b}", (value) => `<${value}><b>`, "bash"],
  ['list=(@ b); show "${list[@]}"'.replace("[@]", "[*]"), (value) => `<${value} b>`, "bash"],
  ["[[ @ == @ ]] && show same", () => "<same>", "bash"],
  ["cat <<< @", (value) => `${value}\n`, "bash"],
  ["cat <(printf %s @)", (value) => value, "bash"],
];

test("finds the shells that these tests need", () => {
  expect(shells).toContain("bash");
});

test.each(scripts)("hands values to %j as they are", (script, expected, only) => {
  const references = scriptReferences(SHOW + script.replaceAll("@", "${{ inputs.x }}"));
  expect(references.problems).toEqual([]);
  for (const shell of shells.filter((name) => only === undefined || name === only)) {
    for (const value of hostile) {
      const outcome = run(shell, references, value);
      expect(outcome, `${shell} with ${JSON.stringify(value)}`).toEqual({ stdout: expected(value), status: 0 });
    }
  }
  expect(existsSync(canary)).toBe(false);
});

test("writes objects, lists and null as text", () => {
  const references = scriptReferences(`${SHOW}show @`.replaceAll("@", "${{ inputs.x }}"));
  expect(run("bash", references, { a: ["b c"] }).stdout).toBe('<{"a":["b c"]}>');
  expect(run("bash", references, null).stdout).toBe("<>");
  expect(run("bash", references, true).stdout).toBe("<true>");
});

test("notices a value that becomes code", () => {
  execFileSync("bash", ["-c", 'eval "$V"'], { cwd: directory, env: { PATH: process.env["PATH"], V: "touch pwned" } });
  expect(existsSync(canary)).toBe(true);
  rmSync(canary);
});

/** Pieces of shell text in which an expression may end up anywhere, valid or not. */
const pieces = [
  ..."'\"`$(){}[]<>|&;#=\\ \n\t",
  ..."@@@@@@@@",
  "$(",
  "$((",
  "((",
  "${x:-",
  "${x",
  "[[ ",
  " ]]",
  "<<EOF\n",
  "\nEOF\n",
  "<<'EOF'\n",
  "<<<",
  "case x in ",
  " in ",
  ";;",
  "esac",
  " eval ",
  " bash -c ",
  " let ",
  " declare -i x=",
  " | bash",
  "printf %s ",
  "x=",
  "$'",
  "if true; then ",
  "; fi",
  "a",
  "1",
  " -eq ",
];

const payload = "a[$(touch pwned)]";

test("runs no value in any script that it accepts, however broken the script", { timeout: 120_000 }, () => {
  let accepted = 0;
  const scriptText = fc
    .array(fc.constantFrom(...pieces), { minLength: 2, maxLength: 14 })
    .map((parts) => parts.join(""));
  const value = fc.constantFrom(
    payload,
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    "\ntouch pwned\n",
    "touch pwned",
  );
  fc.assert(
    fc.property(scriptText, value, (text, hostileValue) => {
      const references = scriptReferences(text.replaceAll("@", "${{ inputs.x }}"));
      if (Object.keys(references.env).length === 0 || references.problems.length > 0) return;
      accepted += 1;
      run("bash", references, hostileValue);
      expect(existsSync(canary), references.script).toBe(false);
    }),
    { numRuns: 6_000, seed: 7 },
  );
  expect(accepted).toBeGreaterThan(200);
});
