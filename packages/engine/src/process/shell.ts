import { accessSync, constants } from "node:fs";
import { basename, delimiter, join } from "node:path";

/** A script, for the shell that is named or for bash. */
export interface ShellScript {
  readonly script: string;
  /**
   * A program (`sh`, `zsh`, `python3`, a path), which is given the options that make it stop at the first error where
   * it has such; or a program with its options (`bash -eux -c`, `node -e`), which gets the script as its last argument.
   */
  readonly shell?: string | readonly string[];
  /** What the script sees as `$1`, `$2` …: data that is never read as code. */
  readonly args?: readonly string[];
}

/** `$0` of a script, as it shows in the shell's own messages. */
const scriptName = "braid";

let bashPath: string | null | undefined;

/** Path of bash, or null where there is none. Looked for once. */
export function findBash(): string | null {
  if (bashPath === undefined) bashPath = searchBash();
  return bashPath;
}

function searchBash(): string | null {
  const path = process.env["PATH"] ?? "";
  for (const directory of [...path.split(delimiter), "/bin", "/usr/bin", "/usr/local/bin"]) {
    if (!directory.startsWith("/")) continue;
    const file = join(directory, "bash");
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here: the next directory.
    }
  }
  return null;
}

/** The argument list that runs a script. Nothing of the script or of `args` passes through another shell. */
export function shellArgv({ script, shell, args = [] }: ShellScript): readonly string[] {
  const words = typeof shell === "string" ? [shell] : (shell ?? []);
  const [program, ...options] = words;
  if (program === undefined) {
    const bash = findBash();
    const start = bash === null ? ["/bin/sh", "-e", "-c"] : [bash, "-eo", "pipefail", "-c"];
    return [...start, script, scriptName, ...args];
  }
  if (options.length > 0) return [...words, script, ...argumentsOf(program, args)];
  return [program, ...optionsOf(program), script, ...argumentsOf(program, args)];
}

function optionsOf(program: string): readonly string[] {
  switch (basename(program)) {
    case "bash":
    case "zsh":
      return ["-eo", "pipefail", "-c"];
    case "sh":
    case "dash":
    case "ash":
    case "ksh":
      return ["-e", "-c"];
    case "node":
    case "ruby":
    case "perl":
      return ["-e"];
    case "pwsh":
      return ["-NoProfile", "-NonInteractive", "-Command"];
    default:
      return ["-c"];
  }
}

/** Shells take `$0` from the word after the script; other interpreters start with the first argument. */
function argumentsOf(program: string, args: readonly string[]): readonly string[] {
  const isShell = /^(?:ba|da|a|k|z|fi)?sh$/.test(basename(program));
  return isShell ? [scriptName, ...args] : args;
}
