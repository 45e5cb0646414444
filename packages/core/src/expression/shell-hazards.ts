import {
  declaresType,
  isDeclarer,
  isEvaluatedVariable,
  mayBeOption,
  previousText,
  readAssignment,
  typedVariables,
  withoutAssignments,
} from "./shell-names.ts";
import { programName } from "./shell-programs.ts";
import { checkPrograms } from "./shell-program-hazards.ts";
import {
  ARITHMETIC,
  AS_OPTION,
  DIRECT,
  GROUP,
  type Refusal,
  type ShellCommand,
  type ShellScan,
  type ShellWord,
  isKnown,
  refuse,
} from "./shell-scan.ts";

const AS_CODE: Refusal = {
  message: "the shell would run the value as code",
  hint: "write the command itself, and give it the value as an argument",
};

const AS_NAME: Refusal = {
  message: "the value would name a variable, and an index in the name is run as code",
  hint: "write the name itself: name=${{ … }}",
};

const AS_TYPED: Refusal = {
  message: "the variable is an array, a number or a reference, and assigning to it would run commands in the value",
  hint: "use a plain variable of another name for the value",
};

const AS_PROGRAM: Refusal = {
  message: "the value would be the name of one program, with no arguments",
  hint: "write the program and give it values as arguments; to run a text as a script on purpose use `bash -c` with a variable of `env`",
  severity: "warning",
};

/** Builtins that run their arguments as code. */
const EVALUATORS = new Set(["eval", "let", "alias", "compgen", "complete"]);

/** Tests that compute their operands, inside `[[ … ]]`. */
const ARITHMETIC_TESTS = new Set(["-eq", "-ne", "-lt", "-le", "-gt", "-ge"]);

/** Tests that take the name of a variable. */
const NAME_TESTS = new Set(["-v", "-R"]);

/** Builtins whose first argument is the command that they run. */
const PREFIXES = new Set(["command", "builtin", "exec"]);

const TESTS = new Set(["test", "["]);

/** Builtins with an option that names a variable or a callback. */
const TAKES_NAME_OPTION = new Set(["mapfile", "readarray", "wait"]);

/** Options of `read` that take the next word, but for `-a`, which names an array. */
const READ_OPTIONS_WITH_VALUE = "dintNpu";

/**
 * Finds where the shell would run a value although it arrives as a variable. What a script does with its own variables
 * afterwards is its author's business, here as in any script.
 */
export function findHazards(scan: ShellScan): void {
  const typed = typedVariables(scan.commands);
  for (const command of scan.commands) {
    if (command.all.from === command.all.to && command.inputs.length === 0) continue;
    if (command.kind === "array") checkSubscripts(scan, command.words);
    if (command.kind === "command") checkCommand(scan, command, typed);
  }
  checkPrograms(scan);
}

function checkSubscripts(scan: ShellScan, words: readonly ShellWord[]): void {
  for (const word of words) {
    const close = word.text.indexOf("]=");
    if (word.text.startsWith("[") && close !== -1 && !isKnown(word.text.slice(0, close)))
      refuse(scan, word, ARITHMETIC);
  }
}

function checkCommand(scan: ShellScan, command: ShellCommand, typed: ReadonlySet<string>): void {
  const words = withoutAssignments(command.words);
  for (const word of command.words.slice(0, command.words.length - words.length)) checkAssignment(scan, word, typed);
  checkProgramName(scan, command, words);
  const start = words.findIndex(isCommandName);
  const [builtin, rest] = start === -1 ? ["", []] : [programName(words[start] as ShellWord), words.slice(start + 1)];
  if (EVALUATORS.has(builtin)) rest.forEach((word) => refuse(scan, word, AS_CODE));
  if (builtin === "trap") checkTrap(scan, rest);
  if (isDeclarer(builtin)) checkDeclaration(scan, builtin, { words: rest, typed });
  checkNames(scan, builtin, rest);
}

/** A value may name the program, but not where another value is its argument or its input: the program may be `eval`. */
function checkProgramName(scan: ShellScan, command: ShellCommand, words: readonly ShellWord[]): void {
  // Words that may vanish leave their place to the next one.
  const named = words.findIndex((word) => !word.mayVanish && !PREFIXES.has(word.text));
  for (const word of named === -1 ? words : words.slice(0, named + 1)) {
    if (word.text.includes(GROUP)) continue;
    const isOnlyValue = ![...words, ...command.inputs].some((other) => other !== word && other.from < other.to);
    refuse(scan, word, word.text.includes(DIRECT) && isOnlyValue ? AS_PROGRAM : AS_CODE);
  }
}

/** A word that is only known at run time may be `command`, or nothing at all, as `$SUDO` often is. */
function isCommandName(word: ShellWord): boolean {
  const name = programName(word);
  return name !== "" && !name.includes(DIRECT) && !PREFIXES.has(name);
}

function checkAssignment(scan: ShellScan, word: ShellWord, typed: ReadonlySet<string>): void {
  const assignment = readAssignment(word.text);
  if (assignment === undefined) return;
  if (assignment.subscript !== undefined && !isKnown(assignment.subscript)) refuse(scan, word, ARITHMETIC);
  if (isEvaluatedVariable(assignment.name)) refuse(scan, word, AS_CODE);
  if (assignment.value.includes(DIRECT) && typed.has(assignment.name) && assignment.subscript === undefined) {
    refuse(scan, word, AS_TYPED);
  }
}

function checkTrap(scan: ShellScan, words: readonly ShellWord[]): void {
  const action = words.find(({ text }) => !text.startsWith("-"));
  if (action !== undefined) refuse(scan, action, AS_CODE);
}

interface Declaration {
  readonly words: readonly ShellWord[];
  readonly typed: ReadonlySet<string>;
}

function checkDeclaration(scan: ShellScan, builtin: string, { words, typed }: Declaration): void {
  const givesType = builtin !== "export" && declaresType(words);
  for (const word of words) {
    const assignment = readAssignment(word.text);
    if (assignment === undefined || assignment.subscript !== undefined) refuse(scan, word, AS_NAME);
    else if (isEvaluatedVariable(assignment.name)) refuse(scan, word, AS_CODE);
    else if (givesType || typed.has(assignment.name)) refuse(scan, word, AS_TYPED);
  }
}

/** Builtins and tests that take the name of a variable. */
function checkNames(scan: ShellScan, builtin: string, words: readonly ShellWord[]): void {
  for (const [index, word] of words.entries()) {
    if (word.from === word.to) continue;
    const previous = previousText(words, index);
    if (namesVariable(builtin, previous, word)) refuse(scan, word, AS_NAME);
    if (TAKES_NAME_OPTION.has(builtin) && mayBeOption(words, index)) refuse(scan, word, AS_OPTION);
    const isFirst = words.slice(0, index).every(({ mayVanish }) => mayVanish);
    if (builtin === "printf" && isFirst && mayBeOption(words, index)) refuse(scan, word, AS_OPTION);
    // As an operator of a test, the first of two values decides how the second is read.
    if (TESTS.has(builtin) && !isKnown(previous)) refuse(scan, word, AS_OPTION);
    const next = words[index + 1]?.text ?? "";
    const isComputed = ARITHMETIC_TESTS.has(previous) || ARITHMETIC_TESTS.has(next);
    if (builtin === "[[" && isComputed) refuse(scan, word, ARITHMETIC);
  }
}

function namesVariable(builtin: string, previous: string, word: ShellWord): boolean {
  switch (builtin) {
    case "unset":
      return true;
    case "read":
      return !(previous.startsWith("-") && READ_OPTIONS_WITH_VALUE.includes(previous.at(-1) ?? "-"));
    case "printf":
      return previous === "-v" || word.text.startsWith("-v");
    case "mapfile":
    case "readarray":
      return previous === "-C";
    case "test":
    case "[":
    case "[[":
      return NAME_TESTS.has(previous);
    default:
      return false;
  }
}
