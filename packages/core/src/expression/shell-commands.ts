import { readHeredocBodies, readHeredocStart } from "./shell-heredoc.ts";
import { readArithmetic, readDoubleQuoted, readExpansion, readSingleQuoted } from "./shell-quote.ts";
import {
  AS_DESCRIPTOR,
  type CommandKind,
  type CommandsEnd,
  EXPANSION,
  GROUP,
  type OpenWord,
  PROCESS,
  type ShellCommand,
  type ShellScan,
  type ShellWord,
  nested,
  newCommand,
  refuse,
} from "./shell-scan.ts";
import {
  CLOSERS,
  HEADS,
  OPENERS,
  RESERVED,
  isAtWord,
  isDescriptor,
  isWord,
  readComment,
  reportBrokenList,
  skipBlank,
} from "./shell-words.ts";

/** Where one list of commands stands while it is read. */
interface Reader {
  readonly scan: ShellScan;
  readonly until: CommandsEnd;
  readonly kind: CommandKind;
  /** Index of the first expression of each block that is open. */
  readonly openers: number[];
  command: ShellCommand;
  pipeline: number;
  word: OpenWord | undefined;
  /** What the next word is for, when it is no word of the command: the file of `<` or `>`, the descriptor of `>&`, the text of `<<<`. */
  redirection: "file" | "descriptor" | "input" | undefined;
  /** Whether the command has a redirection: words behind one are no words of the grammar. */
  isRedirected: boolean;
  /** Inside `[[ … ]]`, where `&&`, `<` and brackets are operators of the test. */
  isTest: boolean;
}

/** Reads commands up to what ends them, and behind it, and puts them into the scan. */
export function readCommands(scan: ShellScan, until: CommandsEnd, kind: CommandKind): void {
  scan.pipelines += 1;
  const reader: Reader = {
    scan,
    until,
    kind,
    openers: [],
    command: newCommand(scan, kind, scan.pipelines),
    pipeline: scan.pipelines,
    word: undefined,
    redirection: undefined,
    isRedirected: false,
    isTest: false,
  };
  while (scan.at < scan.end && !readEnd(reader)) readNext(reader);
  endCommand(reader);
}

/** Whether the list ends here; moves behind the sign that ends it. */
function readEnd(reader: Reader): boolean {
  const { scan, until } = reader;
  const character = scan.text.charAt(scan.at);
  if (until === "branch") {
    if (isAtCommand(reader) && isAtWord(scan, "esac")) return true;
    if (character !== ";" || !";&".includes(scan.text.charAt(scan.at + 1) || " ")) return false;
    endCommand(reader);
    scan.at += scan.text.startsWith(";;&", scan.at) ? 3 : 2;
    return true;
  }
  if (character !== until || (until === ")" && reader.isTest)) return false;
  endCommand(reader);
  scan.at += 1;
  return true;
}

function isAtCommand(reader: Reader): boolean {
  return reader.word === undefined && reader.command.words.length === 0;
}

function readNext(reader: Reader): void {
  const { scan } = reader;
  const character = scan.text.charAt(scan.at);
  if (character === "\n") return readNewline(reader);
  if (" \t\r".includes(character)) {
    endWord(reader);
    scan.at += 1;
  } else if (character === "\\" && "\n".includes(scan.text.charAt(scan.at + 1))) {
    // The line goes on, and so does a word: the shell reads neither of the two characters. So it is with the last one.
    scan.at += 2;
  } else if (character === "#" && reader.word === undefined) {
    readComment(scan);
  } else if ("<>|&;()".includes(character)) {
    if (reader.isTest) readTestOperator(reader, character);
    else readOperator(reader, character);
  } else {
    const word = openWord(reader);
    if ("'\"\\".includes(character)) word.isQuoted = true;
    word.text += readWordPart(scan, character);
  }
}

function readWordPart(scan: ShellScan, character: string): string {
  const expansion = readExpansion(scan, false);
  if (expansion !== undefined) return expansion;
  scan.at += 1;
  if (character === "'") return readSingleQuoted(scan, false);
  return character === '"' ? readDoubleQuoted(scan) : character;
}

function readNewline(reader: Reader): void {
  const { scan } = reader;
  endWord(reader);
  scan.at += 1;
  const { words, inputs } = reader.command;
  const isUnfinished = reader.isTest || (isWord(words[0], "case") && words.length === 2);
  // After `|` the next line goes on with the pipeline.
  const goesOn = words.length === 0 && inputs.length === 0;
  if (!isUnfinished && !goesOn && reader.kind === "command") endPipeline(reader);
  readHeredocBodies(scan);
}

function readTestOperator(reader: Reader, character: string): void {
  const { scan } = reader;
  endWord(reader);
  const length = scan.text.charAt(scan.at + 1) === character && "&|".includes(character) ? 2 : 1;
  openWord(reader).text += scan.text.slice(scan.at, scan.at + length);
  scan.at += length;
  endWord(reader);
}

function readOperator(reader: Reader, character: string): void {
  const { scan } = reader;
  if (reader.kind === "array" && ";|&".includes(character)) reportBrokenList(scan);
  switch (character) {
    case "(":
      return readOpening(reader);
    case "<":
    case ">":
      return readRedirection(reader, character);
    case "&":
      if (scan.text.charAt(scan.at + 1) === ">") return readRedirection(reader, character);
      break;
    case "|":
      if (scan.text.charAt(scan.at + 1) === "|") break;
      endCommand(reader);
      scan.at += scan.text.charAt(scan.at + 1) === "&" ? 2 : 1;
      return;
    default:
  }
  endPipeline(reader);
  scan.at += scan.text.charAt(scan.at + 1) === character && character !== ")" ? 2 : 1;
}

function readRedirection(reader: Reader, character: string): void {
  const { scan } = reader;
  if (scan.text.startsWith(`${character}(`, scan.at)) {
    const word = openWord(reader);
    scan.at += 2;
    nested(scan, () => readCommands(scan, ")", "command"));
    word.text += PROCESS;
    return;
  }
  if (reader.word !== undefined && isDescriptor(reader.word.text)) reader.word = undefined;
  endWord(reader);
  reader.isRedirected = true;
  if (scan.text.startsWith("<<<", scan.at)) {
    scan.at += 3;
    reader.redirection = "input";
  } else if (scan.text.startsWith("<<", scan.at)) {
    readHeredocStart(scan, reader.command);
  } else {
    const start = scan.at;
    while (scan.at < scan.end && "<>&|".includes(scan.text.charAt(scan.at))) scan.at += 1;
    const sign = scan.text.slice(start, scan.at);
    reader.redirection = sign === ">&" || sign === "<&" ? "descriptor" : "file";
  }
}

function readOpening(reader: Reader): void {
  const { scan, command, kind } = reader;
  const [first] = command.words;
  const isHead = command.words.length === 0 || (isWord(first, "for") && command.words.length === 1);
  if (reader.word === undefined && kind === "command" && isHead && scan.text.charAt(scan.at + 1) === "(") {
    openWord(reader).text += GROUP;
    readArithmetic(scan);
    return;
  }
  if (kind === "command" && isFunctionHead(reader)) {
    scan.at = scan.text.indexOf(")", scan.at) + 1;
    reader.word = undefined;
    reader.command.words.length = 0;
    return;
  }
  const inner = innerKind(reader);
  const word = openWord(reader);
  scan.at += 1;
  nested(scan, () => readCommands(scan, ")", inner));
  word.text += inner === "pattern" ? EXPANSION : GROUP;
}

/** A bracket inside a word opens the items of an array after `=`, else a pattern; alone it opens a subshell. */
function innerKind(reader: Reader): CommandKind {
  if (reader.word === undefined) return reader.kind;
  return reader.word.text.endsWith("=") ? "array" : "pattern";
}

/** Whether `name()` stands here: the one word of a command, and nothing between the brackets. */
function isFunctionHead(reader: Reader): boolean {
  const { scan, command, word } = reader;
  if (command.words.length + (word === undefined ? 0 : 1) !== 1 || word?.text.endsWith("=") === true) return false;
  let at = scan.at + 1;
  while (" \t".includes(scan.text.charAt(at)) && at < scan.end) at += 1;
  return scan.text.charAt(at) === ")";
}

function openWord(reader: Reader): OpenWord {
  reader.word ??= { text: "", from: reader.scan.found.length, isQuoted: false };
  return reader.word;
}

function endWord(reader: Reader): void {
  const { scan, command, word, redirection } = reader;
  if (word === undefined) return;
  reader.word = undefined;
  reader.redirection = undefined;
  const { text, isQuoted, from } = word;
  const mayVanish = !isQuoted && text !== "" && text.replaceAll(EXPANSION, "") === "";
  const finished: ShellWord = { text, isQuoted, mayVanish, from, to: scan.found.length };
  if (redirection === "input") command.inputs.push(finished);
  if (redirection === "descriptor") refuse(scan, finished, AS_DESCRIPTOR);
  if (redirection !== undefined) return;
  command.words.push(finished);
  if (reader.kind === "command" && !isQuoted && (!reader.isRedirected || reader.isTest)) readKeyword(reader, finished);
}

/** Takes words of the grammar out of the command, so that its first word is the command's name. */
function readKeyword(reader: Reader, word: ShellWord): void {
  const { command, openers, scan } = reader;
  const [first] = command.words;
  if (isWord(first, "case") && command.words.length === 3 && word.text === "in") return readBranches(reader);
  if (reader.isTest) {
    if (word.text === "]]") reader.isTest = false;
    return;
  }
  const isName = isWord(first, "function") && command.words.length === 2;
  if (isName) command.words.length = 0;
  if (command.words.length !== 1) return;
  if (word.text === "[[") reader.isTest = true;
  if (OPENERS.has(word.text) || HEADS.has(word.text)) openers.push(word.from);
  if (OPENERS.has(word.text) || RESERVED.has(word.text)) command.words.length = 0;
  if (CLOSERS.has(word.text)) command.all = { from: openers.pop() ?? word.from, to: scan.found.length };
}

/** Reads the branches of a `case` from behind its `in`: a pattern up to `)`, then commands, again and again up to `esac`. */
function readBranches(reader: Reader): void {
  const { scan, command } = reader;
  for (;;) {
    skipBlank(scan);
    if (scan.at >= scan.end) break;
    if (isAtWord(scan, "esac")) {
      scan.at += "esac".length;
      break;
    }
    if (scan.text.charAt(scan.at) === "(") scan.at += 1;
    nested(scan, () => readCommands(scan, ")", "pattern"));
    nested(scan, () => readCommands(scan, "branch", "command"));
  }
  command.all = { from: reader.openers.pop() ?? command.all.from, to: scan.found.length };
}

function endCommand(reader: Reader): void {
  endWord(reader);
  const { scan, kind, command } = reader;
  if (command.words.length > 0 || command.inputs.length > 0 || scan.heredocs.some((open) => open.command === command)) {
    command.all = { from: command.all.from, to: scan.found.length };
    scan.commands.push(command);
  }
  reader.isTest = false;
  reader.isRedirected = false;
  reader.redirection = undefined;
  reader.command = newCommand(scan, kind, reader.pipeline);
}

function endPipeline(reader: Reader): void {
  endCommand(reader);
  reader.scan.pipelines += 1;
  reader.pipeline = reader.scan.pipelines;
  reader.command.pipeline = reader.pipeline;
}
