import { problemAt } from "./problem.ts";
import { readExpansion, readSingleQuoted } from "./shell-quote.ts";
import {
  type Heredoc,
  type Refusal,
  type ShellCommand,
  type ShellScan,
  isAtExpression,
  readExpression,
} from "./shell-scan.ts";

const IN_DELIMITER: Refusal = {
  message: "the delimiter of a here-document is read as it is written",
  hint: "use a fixed word such as EOF",
};

const IN_QUOTED_BODY: Refusal = {
  message: "a here-document whose delimiter is quoted takes in no values",
  hint: "leave the quotes of the delimiter out, and write a backslash before each `$` that is meant as it stands",
};

/** Reads `<<` or `<<-` and its delimiter; the body follows after the end of the line. */
export function readHeredocStart(scan: ShellScan, command: ShellCommand): void {
  scan.at += 2;
  const stripsTabs = scan.text.charAt(scan.at) === "-";
  if (stripsTabs) scan.at += 1;
  while (scan.at < scan.end && " \t".includes(scan.text.charAt(scan.at))) scan.at += 1;
  const { delimiter, isQuoted } = readDelimiter(scan);
  if (delimiter !== "" || isQuoted) scan.heredocs.push({ delimiter, isQuoted, stripsTabs, command });
}

function readDelimiter(scan: ShellScan): Pick<Heredoc, "delimiter" | "isQuoted"> {
  let delimiter = "";
  let isQuoted = false;
  while (scan.at < scan.end) {
    const character = scan.text.charAt(scan.at);
    if (isAtExpression(scan)) {
      delimiter += readExpression(scan, true, IN_DELIMITER);
      continue;
    }
    if (" \t\r\n;&|<>()".includes(character)) break;
    scan.at += 1;
    if (character === "'") {
      isQuoted = true;
      delimiter += readSingleQuoted(scan, false);
    } else if (character === '"') {
      isQuoted = true;
      const close = scan.text.indexOf('"', scan.at);
      const end = close === -1 || close > scan.end ? scan.end : close;
      delimiter += scan.text.slice(scan.at, end);
      scan.at = Math.min(end + 1, scan.end);
    } else if (character === "\\") {
      isQuoted = true;
      delimiter += scan.text.charAt(scan.at);
      scan.at = Math.min(scan.at + 1, scan.end);
    } else {
      delimiter += character;
    }
  }
  return { delimiter, isQuoted };
}

/** Reads the bodies of the here-documents of the line that has just ended, in their order. */
export function readHeredocBodies(scan: ShellScan): void {
  const heredocs = scan.heredocs;
  scan.heredocs = [];
  for (const heredoc of heredocs) {
    const { bodyEnd, next } = findBodyEnd(scan, heredoc);
    const from = scan.found.length;
    const outerEnd = scan.end;
    scan.end = bodyEnd;
    readBody(scan, heredoc);
    scan.end = outerEnd;
    scan.at = next;
    heredoc.command.inputs.push({ from, to: scan.found.length });
  }
}

function readBody(scan: ShellScan, heredoc: Heredoc): void {
  while (scan.at < scan.end) {
    if (heredoc.isQuoted && isAtExpression(scan)) readExpression(scan, true, IN_QUOTED_BODY);
    else if (heredoc.isQuoted || readExpansion(scan, true) === undefined) scan.at += 1;
  }
}

interface BodyEnd {
  readonly bodyEnd: number;
  /** Behind the line of the delimiter. */
  readonly next: number;
}

/**
 * The shell looks for the delimiter line by line before it reads the body. A backslash at the end joins two lines, and
 * neither of them ends the body then; shells differ where the joined line is the delimiter.
 */
function findBodyEnd(scan: ShellScan, heredoc: Heredoc): BodyEnd {
  let lineStart = scan.at;
  let joined: string | undefined;
  while (lineStart < scan.end) {
    const newline = scan.text.indexOf("\n", lineStart);
    const lineEnd = newline === -1 || newline > scan.end ? scan.end : newline;
    const written = scan.text.slice(lineStart, lineEnd);
    const line = heredoc.stripsTabs ? stripTabs(written) : written;
    const isContinued = !heredoc.isQuoted && endsWithEscape(line);
    const whole: string = (joined ?? "") + (isContinued ? line.slice(0, -1) : line);
    if (!isContinued && whole === heredoc.delimiter) {
      if (joined !== undefined) reportJoinedDelimiter(scan, lineStart);
      return { bodyEnd: lineStart, next: Math.min(lineEnd + 1, scan.end) };
    }
    joined = isContinued ? whole : undefined;
    lineStart = lineEnd + 1;
  }
  return { bodyEnd: scan.end, next: scan.end };
}

function reportJoinedDelimiter(scan: ShellScan, offset: number): void {
  const message = "shells differ on where this here-document ends: a backslash joins lines to its delimiter";
  const hint = "leave out the backslash at the end of the line before";
  scan.problems.push(problemAt({ offset, length: 1 }, { code: "unsafe_expression", message, hint }));
}

function stripTabs(line: string): string {
  let start = 0;
  while (line[start] === "\t") start += 1;
  return line.slice(start);
}

function endsWithEscape(line: string): boolean {
  let count = 0;
  while (line[line.length - 1 - count] === "\\") count += 1;
  return count % 2 === 1;
}
