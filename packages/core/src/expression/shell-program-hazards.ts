import { mayBeOption, previousText, withoutAssignments } from "./shell-names.ts";
import {
  type Interpreter,
  type Program,
  hostIndex,
  interpreterOf,
  isShell,
  mentionsShell,
  operandsOf,
  programsOf,
  remoteWords,
  shellProgram,
} from "./shell-programs.ts";
import {
  AS_OPTION,
  DIRECT,
  PROCESS,
  type Refusal,
  type ShellCommand,
  type ShellScan,
  type ShellWord,
  refuse,
} from "./shell-scan.ts";

const AS_SCRIPT: Refusal = {
  message: "the value would become code of the shell that this command starts",
  hint: "give it as an argument: bash -c 'echo \"$1\"' _ ${{ … }}",
};

const AS_REMOTE_SCRIPT: Refusal = {
  message: "the value would become code of the shell on the other machine",
  hint: "send it as input, and let a fixed command there read it",
};

const AS_SCRIPT_INPUT: Refusal = {
  message: "a shell would read the value as code",
  hint: "give it as an argument: bash -s -- ${{ … }} <<'EOF'",
};

const AS_FOREIGN_CODE: Refusal = {
  message: "the value would become code of another language",
  hint: "give it as an argument or an environment variable, and read it there",
  severity: "warning",
};

/** Programs that hand their arguments to a shell. */
const JOINERS = new Set(["watch", "parallel"]);

/** Finds values that would become part of a program that a command starts. */
export function checkPrograms(scan: ShellScan): void {
  const pipelines = new Map<number, ShellCommand[]>();
  for (const command of scan.commands) {
    if (command.kind !== "command") continue;
    const before = pipelines.get(command.pipeline) ?? [];
    pipelines.set(command.pipeline, before.concat(command));
    const programs = programsOf(withoutAssignments(command.words));
    for (const program of programs) checkArguments(scan, program);
    const refusal = inputRefusal(programs);
    if (refusal === undefined) continue;
    for (const earlier of before) refuse(scan, earlier.all, refusal);
    for (const input of [command, ...before].flatMap(({ inputs }) => inputs)) refuse(scan, input, refusal);
  }
}

function checkArguments(scan: ShellScan, program: Program): void {
  const { name, words } = program;
  if (isShell(program)) checkShell(scan, words);
  if (name === "source" || name === ".") refuseSubstituted(scan, words[0]);
  if (name === "ssh" && mayBeOption(words, hostIndex(words)))
    refuse(scan, words[hostIndex(words)] as ShellWord, AS_OPTION);
  if (name === "ssh") remoteWords(words).forEach((word) => refuse(scan, word, AS_REMOTE_SCRIPT));
  if (JOINERS.has(name)) words.forEach((word) => refuse(scan, word, AS_SCRIPT));
  if (["su", "runuser", "script", "flock", "sg"].includes(name)) {
    refuseAfter(scan, { words, options: ["-c", "--command"] }, AS_SCRIPT);
  }
  const interpreter = interpreterOf(program);
  if (interpreter !== undefined) checkInterpreter(scan, words, interpreter);
}

function checkShell(scan: ShellScan, words: readonly ShellWord[]): void {
  const program = shellProgram(words);
  program.scripts.forEach((word) => refuse(scan, word, AS_SCRIPT));
  program.files.forEach((word) => refuseSubstituted(scan, word));
  // A value in the place of the file may be `-c`, and then what follows is the program.
  const file = words.findIndex((word, index) => program.files.includes(word) && mayBeOption(words, index));
  const after = words.slice(file + 1);
  if (file !== -1 && after.some(({ from, to }) => from < to)) refuse(scan, words[file] as ShellWord, AS_OPTION);
}

/** The name of a file may come from a value, its text may not. */
function refuseSubstituted(scan: ShellScan, word: ShellWord | undefined): void {
  if (word?.text.includes(PROCESS) === true) refuse(scan, word, AS_SCRIPT);
}

function checkInterpreter(scan: ShellScan, words: readonly ShellWord[], interpreter: Interpreter): void {
  const { options, operand } = interpreter;
  refuseAfter(scan, { words, options }, AS_FOREIGN_CODE);
  const hasProgram = words.some(({ text }) => options.includes(text) || text === "-f" || text.startsWith("--file"));
  const program =
    operand === undefined || hasProgram ? undefined : operandsOf(words, interpreter.valueOptions)[operand];
  if (program !== undefined) refuse(scan, program, AS_FOREIGN_CODE);
}

interface OptionWords {
  readonly words: readonly ShellWord[];
  readonly options: readonly string[];
}

function refuseAfter(scan: ShellScan, { words, options }: OptionWords, refusal: Refusal): void {
  for (const [index, word] of words.entries()) {
    const isValue = options.includes(previousText(words, index));
    if (isValue || options.some((option) => word.text.startsWith(`${option}=`))) refuse(scan, word, refusal);
  }
}

/** Why nothing of what a command reads may come from a value; undefined when its input is data. */
function inputRefusal(programs: readonly Program[]): Refusal | undefined {
  const [first] = programs;
  if (programs.some(readsScript)) return AS_SCRIPT_INPUT;
  // `xargs -I` puts what it reads into the text of the arguments; `parallel` makes commands of it.
  const replaces = first?.words.some(({ text }) => ["-I", "-i", "--replace"].some((option) => text.startsWith(option)));
  if (first?.name === "parallel") return AS_SCRIPT_INPUT;
  if (first?.name === "xargs" && replaces === true && programs.some(isShell)) return AS_SCRIPT_INPUT;
  return programs.some(readsForeignCode) ? AS_FOREIGN_CODE : undefined;
}

function readsScript(program: Program): boolean {
  const { name, words } = program;
  if (name === "ssh") return remoteWords(words).length === 0;
  if (name.includes(DIRECT)) return true;
  if (name === "source" || name === ".") return words[0]?.text === "/dev/stdin";
  if (name === "su") return !words.some(({ text }) => text === "-c" || text === "--command");
  if (name === "eval") return words.some(({ text }) => mentionsShell(text));
  if (!isShell(program)) return false;
  const { readsInput, scripts } = shellProgram(words);
  // The text of a program may itself start a shell, which then reads the same input.
  return readsInput || scripts.some(({ text }) => mentionsShell(text));
}

function readsForeignCode(program: Program): boolean {
  const interpreter = interpreterOf(program);
  if (interpreter === undefined || interpreter.input === "never") return false;
  if (interpreter.input === "always") return true;
  const { words } = program;
  return words.every(({ text }) => text.startsWith("-") && !interpreter.options.includes(text) && text !== "-m");
}
