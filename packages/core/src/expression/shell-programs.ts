import { mayBeOption } from "./shell-names.ts";
import { isNameCharacter } from "./shell-quote.ts";
import { EXPANSION, type ShellWord, isKnown } from "./shell-scan.ts";

/** Shells that are given a program as text. */
const SHELLS = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash", "fish", "csh", "tcsh"]);

/** Programs that start the program which one of their arguments names. */
const WRAPPERS = new Set(
  (
    "sudo doas su runuser env command builtin exec nohup nice ionice time timeout stdbuf setsid chroot unshare nsenter flock " +
    "xargs parallel find watch strace busybox gosu tini dumb-init docker podman nerdctl kubectl oc lxc incus ssh"
  ).split(" "),
);

/** Options of `ssh` that take the next word. */
const SSH_OPTIONS_WITH_VALUE = "BbcDEeFIiJLlmOopQRSWw";

/** How other languages are given a program: options before its text, or how many operands stand before it. */
export interface Interpreter {
  readonly options: readonly string[];
  /** Index of the operand that is the program, where none of the options is given. */
  readonly operand?: number;
  /** Options whose next word is a value and no operand. */
  readonly valueOptions?: readonly string[];
  /** Whether its input is a program when it has no operand; databases read one whatever their operands are. */
  readonly input: "without operands" | "always" | "never";
}

const AWK: Interpreter = { options: [], operand: 0, valueOptions: ["-v", "-F"], input: "never" };

const INTERPRETERS: ReadonlyMap<string, Interpreter> = new Map<string, Interpreter>([
  ["python", { options: ["-c"], input: "without operands" }],
  ["node", { options: ["-e", "-p", "--eval", "--print"], input: "without operands" }],
  ["deno", { options: ["eval"], input: "never" }],
  ["bun", { options: ["-e", "--eval"], input: "never" }],
  ["perl", { options: ["-e", "-E", "-ne", "-pe", "-lne", "-lpe"], input: "without operands" }],
  ["ruby", { options: ["-e", "-ne", "-pe"], input: "without operands" }],
  ["php", { options: ["-r"], input: "without operands" }],
  ["lua", { options: ["-e"], input: "without operands" }],
  ["Rscript", { options: ["-e"], input: "never" }],
  ["pwsh", { options: ["-c", "-Command"], input: "without operands" }],
  ["psql", { options: ["-c", "--command"], input: "always" }],
  ["mysql", { options: ["-e", "--execute"], input: "always" }],
  ["mariadb", { options: ["-e", "--execute"], input: "always" }],
  ["sqlite3", { options: ["-cmd"], operand: 1, input: "always" }],
  ["mongosh", { options: ["--eval"], input: "always" }],
  ["awk", AWK],
  ["gawk", AWK],
  ["mawk", AWK],
  ["sed", { options: ["-e", "--expression"], operand: 0, input: "never" }],
]);

/** A program of a command, with the words after its name. */
export interface Program {
  readonly name: string;
  readonly words: readonly ShellWord[];
}

/** The last part of a path, as far as the script says it: what the shell puts in may be nothing. */
export function programName(word: ShellWord): string {
  const text = word.text.replaceAll(EXPANSION, "");
  return text.slice(text.lastIndexOf("/") + 1);
}

/** The programs that a command names: its own and, behind a wrapper such as `sudo` or `docker exec`, any other known one. */
export function programsOf(words: readonly ShellWord[]): Program[] {
  const [first] = words;
  if (first === undefined) return [];
  const programs: Program[] = [{ name: programName(first), words: words.slice(1) }];
  // A name that is only known at run time may be that of a wrapper, or nothing at all, as `$SUDO` often is.
  if (isKnown(first.text) && !WRAPPERS.has(programName(first))) return programs;
  for (const [index, word] of words.entries()) {
    if (index > 0) programs.push({ name: programName(word), words: words.slice(index + 1) });
  }
  return programs;
}

/** Whether a program is a shell. */
export function isShell(program: Program): boolean {
  return SHELLS.has(program.name);
}

/** Whether the name of a shell stands anywhere in a text. */
export function mentionsShell(text: string): boolean {
  let word = "";
  for (let at = 0; at <= text.length; at += 1) {
    const character = text.charAt(at);
    if (character !== "" && isNameCharacter(character)) {
      word += character;
      continue;
    }
    if (SHELLS.has(word)) return true;
    word = "";
  }
  return false;
}

/** What is known of a program that runs programs of its own language. Versions may follow the name: `python3.12`. */
export function interpreterOf(program: Program): Interpreter | undefined {
  return INTERPRETERS.get(program.name.startsWith("python") ? "python" : program.name);
}

/** Where a shell may get its program from. More than one may be so, where an unquoted `$x` may be an option or nothing. */
export interface ShellProgram {
  /** The text of the program. */
  readonly scripts: readonly ShellWord[];
  /** The name of its file. */
  readonly files: readonly ShellWord[];
  readonly readsInput: boolean;
}

/** Reads the words after a shell's name. */
export function shellProgram(words: readonly ShellWord[]): ShellProgram {
  const operands: ShellWord[] = [];
  let hasCommand = false;
  let readsInput = false;
  let endsOptions = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as ShellWord;
    const isOption = !endsOptions && word.text.length > 1 && "-+".includes(word.text.charAt(0));
    if (!isOption && (endsOptions || word.text !== "-")) {
      operands.push(word);
      // A value may be an option, after which the shell reads its input.
      readsInput ||= mayBeOption(words, index);
      if (!word.mayVanish) break;
    }
    endsOptions ||= word.text === "--";
    if (!isOption || word.text.startsWith("--")) continue;
    const letters = word.text.slice(1);
    hasCommand ||= letters.includes("c");
    readsInput ||= letters.includes("s");
    if (letters.endsWith("o") || letters.endsWith("O")) index += 1;
  }
  const isCertain = operands.every((word) => !word.mayVanish);
  const hasOperand = operands.some((word) => !word.mayVanish);
  return {
    scripts: hasCommand || !isCertain ? operands : [],
    files: operands,
    readsInput: readsInput || (!hasCommand && !hasOperand),
  };
}

/** The words that `ssh` sends to the shell of the other machine: those after the host. */
export function remoteWords(words: readonly ShellWord[]): readonly ShellWord[] {
  return words.slice(hostIndex(words) + 1);
}

/** Where the name of the other machine stands among the words after `ssh`; behind them when it is missing. */
export function hostIndex(words: readonly ShellWord[]): number {
  for (let index = 0; index < words.length; index += 1) {
    const { text } = words[index] as ShellWord;
    if (!text.startsWith("-")) return index;
    if (text.length === 2 && SSH_OPTIONS_WITH_VALUE.includes(text.charAt(1))) index += 1;
  }
  return words.length;
}

/** The words that are neither options nor values of the options that are named. */
export function operandsOf(words: readonly ShellWord[], valueOptions: readonly string[] = []): readonly ShellWord[] {
  return words.filter(({ text }, index) => {
    return !text.startsWith("-") && !valueOptions.includes(words[index - 1]?.text ?? "");
  });
}
