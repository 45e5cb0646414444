import { isNameCharacter } from "./shell-quote.ts";
import { GROUP, type ShellCommand, type ShellWord, isKnown } from "./shell-scan.ts";

/** Builtins that give variables their attributes. */
const DECLARERS = new Set(["declare", "typeset", "local", "readonly", "export"]);

/** Variables whose value the shell runs or computes by itself. */
const EVALUATED_VARIABLES = new Set(["PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "BASH_ENV", "ENV"]);

/** A word that gives a variable a value: `name=…`, `name+=…` or `name[index]=…`. */
export interface Assignment {
  readonly name: string;
  /** The text between the brackets, if there are any. */
  readonly subscript: string | undefined;
  readonly value: string;
}

/** Reads a word as an assignment; undefined when it is none. */
export function readAssignment(text: string): Assignment | undefined {
  let at = 0;
  while (isNameCharacter(text.charAt(at)) && at < text.length) at += 1;
  const name = text.slice(0, at);
  if (name === "" || (name.charAt(0) >= "0" && name.charAt(0) <= "9")) return undefined;
  let subscript: string | undefined;
  if (text.charAt(at) === "[") {
    const close = text.indexOf("]", at);
    if (close === -1) return undefined;
    subscript = text.slice(at + 1, close);
    at = close + 1;
  }
  if (text.charAt(at) === "+") at += 1;
  return text.charAt(at) === "=" ? { name, subscript, value: text.slice(at + 1) } : undefined;
}

/** Whether a value at the place of a word could be an option: it stands at the start of the word, and no `--` before it. */
export function mayBeOption(words: readonly ShellWord[], index: number): boolean {
  const word = words[index];
  if (word === undefined || word.from === word.to || isKnown(word.text.charAt(0))) return false;
  return !words.slice(0, index).some(({ text }) => text === "--");
}

/** The text of the word before, over words that may be no words at all; empty where there is none. */
export function previousText(words: readonly ShellWord[], index: number): string {
  let before = index - 1;
  while (words[before]?.mayVanish === true) before -= 1;
  return words[before]?.text ?? "";
}

/** The words of a command from its name on. */
export function withoutAssignments(words: readonly ShellWord[]): readonly ShellWord[] {
  const name = words.findIndex((word) => readAssignment(word.text) === undefined);
  return name === -1 ? [] : words.slice(name);
}

/** Whether the shell runs or computes what is assigned to the variable. */
export function isEvaluatedVariable(name: string): boolean {
  return EVALUATED_VARIABLES.has(name);
}

/** Whether a builtin takes names of variables to declare. */
export function isDeclarer(name: string): boolean {
  return DECLARERS.has(name);
}

/** Whether the options make what is assigned a formula, a list in brackets or the name of another variable. */
export function declaresType(words: readonly ShellWord[]): boolean {
  return words.some(({ text }) => text.startsWith("-") && ["a", "A", "i", "n"].some((letter) => text.includes(letter)));
}

/**
 * The variables that the script makes arrays, numbers or references to others anywhere. Assigning to such a variable can
 * run what stands in the value, so it is enough that one line makes it so.
 */
export function typedVariables(commands: readonly ShellCommand[]): ReadonlySet<string> {
  const typed = new Set<string>();
  for (const { kind, words } of commands) {
    if (kind !== "command") continue;
    for (const { text } of words) {
      const assignment = readAssignment(text);
      if (assignment !== undefined && (assignment.subscript !== undefined || assignment.value === GROUP)) {
        typed.add(assignment.name);
      }
    }
    const [first, ...rest] = words;
    if (first === undefined || !isDeclarer(first.text) || !declaresType(rest)) continue;
    for (const { text } of rest) typed.add(readAssignment(text)?.name ?? text);
  }
  return typed;
}
