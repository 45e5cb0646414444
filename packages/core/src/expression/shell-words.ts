import { problemAt } from "./problem.ts";
import type { ShellScan, ShellWord } from "./shell-scan.ts";

/** Words that stand before a command and are no part of it. */
export const RESERVED = new Set(["then", "else", "elif", "do", "!", "time", "coproc"]);
/** Words that open a block and stand before its first command. */
export const OPENERS = new Set(["{", "if", "while", "until"]);
/** Words that open a block and are a command of their own up to `in` or `do`. */
export const HEADS = new Set(["for", "select", "case"]);
/** Words that close a block; what follows up to the end of the command (a pipe, a redirection) is of the whole block. */
export const CLOSERS = new Set(["}", "fi", "done"]);

/** Whether the word stands here, and is not the beginning of a longer one. */
export function isAtWord(scan: ShellScan, word: string): boolean {
  if (!scan.text.startsWith(word, scan.at)) return false;
  const next = scan.text.charAt(scan.at + word.length);
  return next === "" || " \t\r\n;&|<>()`".includes(next);
}

/** Reads a comment up to the end of its line, or of the backquotes that it stands in. */
export function readComment(scan: ShellScan): void {
  const start = scan.at;
  while (scan.at < scan.end && scan.text.charAt(scan.at) !== "\n") {
    if (scan.backquotes > 0 && scan.text.charAt(scan.at) === "`") break;
    scan.at += 1;
  }
  scan.comments.push({ start, end: scan.at });
}

/** Moves behind blanks, line breaks and comments. */
export function skipBlank(scan: ShellScan): void {
  while (scan.at < scan.end) {
    if (scan.text.charAt(scan.at) === "#") readComment(scan);
    else if (" \t\r\n".includes(scan.text.charAt(scan.at))) scan.at += 1;
    else break;
  }
}

/** Whether a word before `<` or `>` says which descriptor is meant: a number or `{name}`. */
export function isDescriptor(text: string): boolean {
  if (text.startsWith("{") && text.endsWith("}")) return true;
  return text !== "" && String(Number.parseInt(text, 10)) === text;
}

/** Whether a word is this word of the grammar. */
export function isWord(word: ShellWord | undefined, text: string): boolean {
  return word?.text === text && !word.isQuoted;
}

/** Reports a sign that ends no list: a shell that goes on after such an error goes on somewhere else than this reader. */
export function reportBrokenList(scan: ShellScan): void {
  const message = "the list is not closed before this sign, and shells go on at different places";
  scan.problems.push(problemAt({ offset: scan.at, length: 1 }, { code: "unsafe_expression", message }));
}
