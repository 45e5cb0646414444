/** What the text of a `command` stands for. */
export type SplitCommand =
  /** A program and its arguments, run without a shell. */
  | { readonly kind: "argv"; readonly words: readonly string[] }
  /** The text began with `!`: a script for a shell. */
  | { readonly kind: "shell"; readonly script: string }
  | { readonly kind: "invalid"; readonly message: string };

/** Words that a shell would act on. Without one they would become arguments: `rm -r out && make` would remove `make`. */
const operators = new Set(["|", "||", "&", "&&", ";", ";;", "<", "<<", ">", ">>", "2>", "2>>", "2>&1", "&>", "|&"]);

const whitespace = /[ \t]/;

/**
 * Splits the text of a `command` into words as a POSIX shell does: quotes and backslashes are respected, and nothing is
 * expanded. A text that begins with `!` is a script.
 *
 * It has to be called before templates are evaluated, and each word be evaluated for itself: `${{ … }}` is one part of
 * its word whatever it holds, so a value can become neither a second word nor the `!` of a script.
 */
export function splitCommand(text: string): SplitCommand {
  const trimmed = text.trim();
  if (trimmed.startsWith("!")) {
    const script = trimmed.slice(1).trimStart();
    return script === "" ? invalid("has no script after `!`") : { kind: "shell", script };
  }
  const words: string[] = [];
  let at = 0;
  while (at < trimmed.length) {
    if (whitespace.test(trimmed.charAt(at))) {
      at += 1;
      continue;
    }
    const word = readWord(trimmed, at);
    if (typeof word === "string") return invalid(word);
    at = word.end;
    if (operators.has(trimmed.slice(word.start, word.end))) {
      const operator = trimmed.slice(word.start, word.end);
      return invalid(
        `holds \`${operator}\`, which means nothing without a shell. Begin it with \`!\`, or quote \`${operator}\``,
      );
    }
    if (word.isPresent) words.push(word.text);
  }
  return words.length === 0 ? invalid("is empty") : { kind: "argv", words };
}

function invalid(problem: string): SplitCommand {
  return { kind: "invalid", message: `The command ${problem}.` };
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** False for a lone line continuation; `''` is a word, though an empty one. */
  readonly isPresent: boolean;
}

/** Reads the word that starts at `start`, or says what is wrong with it. */
function readWord(text: string, start: number): Word | string {
  let word = "";
  let isPresent = false;
  let at = start;
  while (at < text.length) {
    const character = text.charAt(at);
    if (whitespace.test(character)) break;
    if (character === "\n" || character === "\r") {
      return "has several lines, which would be several commands. Use `run` for a script";
    }
    const part = readPart(text, at);
    if (typeof part === "string") return part;
    word += part.text;
    isPresent ||= part.isPresent;
    at = part.end;
  }
  return { text: word, start, end: at, isPresent };
}

type Part = Omit<Word, "start">;

/** One character, one escaped character, one quoted stretch or one expression. */
function readPart(text: string, at: number): Part | string {
  if (text.startsWith("${{", at)) return readExpression(text, at);
  switch (text.charAt(at)) {
    case "\\":
      if (at + 1 === text.length) return "ends with a backslash";
      if (text.charAt(at + 1) === "\n") return { text: "", end: at + 2, isPresent: false };
      return { text: text.charAt(at + 1), end: at + 2, isPresent: true };
    case "'":
      return readQuoted(text, at, "'");
    case '"':
      return readQuoted(text, at, '"');
    default:
      return { text: text.charAt(at), end: at + 1, isPresent: true };
  }
}

/** A quoted stretch. Expressions are expressions in any quotes; in double quotes a backslash escapes `"`, `\`, `$` and `. */
function readQuoted(text: string, start: number, quote: "'" | '"'): Part | string {
  let content = "";
  let at = start + 1;
  while (at < text.length) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    if (character === quote) return { text: content, end: at + 1, isPresent: true };
    if (text.startsWith("${{", at)) {
      const expression = readExpression(text, at);
      if (typeof expression === "string") return expression;
      content += expression.text;
      at = expression.end;
    } else if (quote === '"' && character === "\\" && next !== "" && '"\\$`\n'.includes(next)) {
      content += next === "\n" ? "" : next;
      at += 2;
    } else {
      content += character;
      at += 1;
    }
  }
  return `has a ${quote} without its partner`;
}

/** An expression as written, up to the `}}` outside its own quotes. */
function readExpression(text: string, start: number): Part | string {
  let isQuoted = false;
  for (let at = start + 3; at < text.length; at += 1) {
    if (text.charAt(at) === "'") isQuoted = !isQuoted;
    else if (!isQuoted && text.startsWith("}}", at)) {
      return { text: text.slice(start, at + 2), end: at + 2, isPresent: true };
    }
  }
  return "has a `${{` without its `}}`";
}
