import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array, constantFrom, sample } from "fast-check";
import { afterAll, expect, test } from "vitest";
import { evaluateText } from "./evaluate-template.ts";
import { type ScriptReferences, scriptReferences } from "./script-references.ts";

/** Each run works in this directory; a value that becomes code leaves the file `pwned` there. */
const directory = mkdtempSync(join(tmpdir(), "braid-shell-"));
const canary = join(directory, "pwned");

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const shells = ["bash", "dash"].filter((shell) => spawnSync(shell, ["-c", ":"], { stdio: "ignore" }).status === 0);

/** Prints each of its arguments on its own, so that splitting and expansion are seen. */
const SHOW = 'show() { for argument in "$@"; do printf \'<%s>\' "$argument"; done; }\n';

function withExpression(script: string): ScriptReferences {
  return scriptReferences(script.replaceAll("@", "${{ inputs.x }}"));
}

function textOf(references: ScriptReferences, value: unknown): string {
  const template = references.env["BRAID_EXPR_1"];
  const text = template === undefined ? undefined : evaluateText(template, { inputs: { x: value } });
  if (text?.ok !== true) throw new Error("the script has no value");
  return text.value;
}

/** Runs a script once for each value, in one process, and gives what each run printed. */
function runAll(shell: string, references: ScriptReferences, values: readonly unknown[]): string[] {
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "" };
  const runs = values.map((value, index) => {
    env[`VALUE_${index}`] = textOf(references, value);
    return `(\nexport BRAID_EXPR_1="$VALUE_${index}"\n${references.script}\n)\nprintf '\\0'\n`;
  });
  const script = `set -e\n${SHOW}${runs.join("")}`;
  // Without a terminal or a socket as its input, the shell reads no start-up file.
  const result = spawnSync(shell, ["-c", script], {
    env,
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(result.stderr, references.script).toBe("");
  return result.stdout.split("\0").slice(0, -1);
}

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
const scripts: readonly (readonly [script: string, expected: (value: string) => string])[] = [
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
];

/** Scripts in the language of `bash` alone. */
const bashScripts: typeof scripts = [
  ["show {@,b}", (value) => `<${value}><b>`],
  ['list=(@ b); show "${list[@]}"'.replace("[@]", "[*]"), (value) => `<${value} b>`],
  ["[[ @ == @ ]] && show same", () => "<same>"],
  ["cat <<< @", (value) => `${value}\n`],
  ["cat <(printf %s @)", (value) => value],
];

test("finds the shells that these tests need", () => {
  expect(shells).toContain("bash");
});

const everyScript = [
  ...scripts.map(([script, expected]) => ({ script, expected, only: shells })),
  ...bashScripts.map(([script, expected]) => ({ script, expected, only: ["bash"] })),
];

test.each(everyScript)("hands values to $script as they are", ({ script, expected, only }) => {
  const references = withExpression(script);
  expect(references.problems).toEqual([]);
  for (const shell of only) {
    expect(runAll(shell, references, hostile), shell).toEqual(hostile.map(expected));
  }
  expect(existsSync(canary)).toBe(false);
});

test("writes objects, lists and null as text", () => {
  const values = [{ a: ["b c"] }, [1], null, true, 1.5];
  expect(runAll("bash", withExpression("show @"), values)).toEqual([
    '<{"a":["b c"]}>',
    "<[1]>",
    "<>",
    "<true>",
    "<1.5>",
  ]);
});

test("notices a value that becomes code", () => {
  execFileSync("bash", ["-c", 'eval "$V"'], { cwd: directory, env: { PATH: process.env["PATH"], V: "touch pwned" } });
  expect(existsSync(canary)).toBe(true);
  rmSync(canary);
});

/** Pieces of shell text in which an expression may end up anywhere, valid or not. */
const signs = [
  "'",
  '"',
  "`",
  "$",
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  "<",
  ">",
  "|",
  "&",
  ";",
  "#",
  "=",
  "\\",
  " ",
  "\n",
  "\t",
];
const pieces = [
  ...signs,
  ...Array.from({ length: 8 }, () => "@"),
  ...Array.from({ length: 4 }, () => "% "),
  "$(",
  "$((",
  "((",
  "))",
  "$((@))",
  "((@))",
  "[[ @ -eq 1 ]]",
  "${x:@}",
  "x[@]=1",
  "bash<<<@",
  "unset @",
  ">&@",
  "declare ",
  "x=() ",
  "printf -v ",
  " [ -v ",
  "trap @ EXIT",
  "command ",
  "$x ",
  "y=@\n",
  "{ ",
  "; }",
  "f() ",
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
  "printf ",
  "x=",
  "$'",
  "if true; then ",
  "; fi",
  "a",
  "1",
  " -eq ",
];

const codes = [
  "a[$(touch pwned)]",
  "$(touch pwned)",
  "`touch pwned`",
  "'; touch pwned; '",
  "\ntouch pwned\n",
  "touch pwned",
];

/** Values that are no code by themselves, but can make code of their neighbours. */
const options = ["-c", "-v", "-s", "-va[$(touch pwned)]", "-eq", "eval", "!"];

/** Scripts that are accepted, of all that the pieces make, with the variables set as a worker would. `%` is a second value. */
function acceptedScripts(count: number): string[] {
  const texts = array(constantFrom(...pieces), { minLength: 2, maxLength: 14 }).map((parts) => parts.join(""));
  return sample(texts, { numRuns: count, seed: 7 }).flatMap((text, index) => {
    const { script, env, problems } = withExpression(text.replaceAll("%", "${{ inputs.y }}"));
    if (Object.keys(env).length === 0 || problems.length > 0) return [];
    const variables = Object.entries(env).map(([name, template]) => {
      const value = template.text.includes("inputs.x")
        ? `CODE_${index % codes.length}`
        : `OPTION_${index % options.length}`;
      return `export ${name}="$${value}"\n`;
    });
    return [`${variables.join("")}${script}\n`];
  });
}

test("runs no value in any script that it accepts, however broken the script", { timeout: 60_000 }, () => {
  const accepted = acceptedScripts(1_500);
  expect(accepted.length).toBeGreaterThan(100);
  const scriptDirectory = join(directory, "scripts");
  mkdirSync(scriptDirectory);
  accepted.forEach((script, index) => writeFileSync(join(scriptDirectory, `${index}.sh`), script));
  // Each script runs in a shell and a directory of its own, and the pipe waits for what it has put into the background.
  // The first script that makes the canary is named.
  const driver = `
    for script in scripts/*.sh; do
      rm -rf work && mkdir work && cd work
      bash "../$script" 2>&1 | cat >/dev/null
      if [ -e pwned ]; then cat "../$script" >&3; exit; fi
      cd ..
    done`;
  const env = {
    PATH: process.env["PATH"] ?? "",
    ...Object.fromEntries(codes.map((code, index) => [`CODE_${index}`, code])),
    ...Object.fromEntries(options.map((option, index) => [`OPTION_${index}`, option])),
  };
  const { output } = spawnSync("bash", ["-c", driver], {
    cwd: directory,
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  expect(output[3]).toBe("");
});
