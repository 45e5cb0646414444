import {
  ARITHMETIC,
  EXPANSION,
  type Refusal,
  type ShellScan,
  isAtExpression,
  nested,
  readExpression,
  refuse,
} from "./shell-scan.ts";

const LITERAL: Refusal = {
  message: "inside single quotes the shell puts in no values",
  hint: "use double quotes, or end the quotes around it: 'text'${{ … }}'text'",
};

const AFTER_BACKSLASH: Refusal = {
  message: "the backslash before `${{` would escape what is put in its place",
  hint: "leave the backslash out",
};

const AFTER_DOLLAR: Refusal = {
  message: "the `$` before `${{` would become part of another variable",
  hint: "leave the `$` out; one that is meant is written '$'${{ … }}",
};

const IN_PARAMETER: Refusal = {
  message: "inside `${…}` an expression may only stand after `:-`, `:=`, `:+` or `:?`",
  hint: "give the value to a variable first: value=${{ … }}",
};

const IN_ASSIGNMENT: Refusal = {
  message: "outside double quotes the shell splits what `${…=…}` gives into words",
  hint: 'put it in double quotes: "${name:=${{ … }}}"',
};

const SPECIAL_PARAMETERS = "#?$!*@-";

/** Reads a single-quoted string from behind its quote; `isAnsi` for `$'…'`, which has escapes. Gives its text. */
export function readSingleQuoted(scan: ShellScan, isAnsi: boolean): string {
  let text = "";
  while (scan.at < scan.end) {
    const character = scan.text.charAt(scan.at);
    if (isAtExpression(scan)) {
      text += readExpression(scan, true, LITERAL);
      continue;
    }
    scan.at += 1;
    if (character === "'") break;
    if (isAnsi && character === "\\" && !isAtExpression(scan)) scan.at += 1;
    text += character;
  }
  return text;
}

/** Reads a double-quoted string from behind its quote. Gives its text. */
export function readDoubleQuoted(scan: ShellScan): string {
  let text = "";
  while (scan.at < scan.end) {
    const character = scan.text.charAt(scan.at);
    if (character === '"') {
      scan.at += 1;
      break;
    }
    text += readExpansion(scan, true) ?? readPlain(scan);
  }
  return text;
}

function readPlain(scan: ShellScan): string {
  scan.at += 1;
  return scan.text.charAt(scan.at - 1);
}

/** Reads what means the same inside and outside of double quotes: an escape, `$…`, backquotes. Undefined for other text. */
export function readExpansion(scan: ShellScan, isQuoted: boolean): string | undefined {
  switch (scan.text.charAt(scan.at)) {
    case "\\":
      return readEscape(scan, isQuoted);
    case "`":
      return readBackquotes(scan);
    case "$":
      return readDollar(scan, isQuoted);
    default:
      return undefined;
  }
}

function readEscape(scan: ShellScan, isQuoted: boolean): string {
  scan.at += 1;
  if (scan.backquotes > 0) scan.hasBackquoteEscape = true;
  if (isAtExpression(scan)) return readExpression(scan, isQuoted, AFTER_BACKSLASH);
  const character = scan.text.charAt(scan.at);
  scan.at = Math.min(scan.at + 1, scan.end);
  return character === "\n" ? "" : character;
}

function readBackquotes(scan: ShellScan): string {
  const { hasBackquoteEscape } = scan;
  scan.at += 1;
  scan.backquotes += 1;
  // An escape of an outer level counts for the inner ones.
  nested(scan, () => scan.readCommands(scan, "`", "command"));
  scan.backquotes -= 1;
  scan.hasBackquoteEscape = hasBackquoteEscape;
  return EXPANSION;
}

function readDollar(scan: ShellScan, isQuoted: boolean): string {
  if (isAtExpression(scan)) return readExpression(scan, isQuoted);
  const { text } = scan;
  if (isAtExpression(scan, scan.at + 1)) {
    scan.at += 1;
    return readExpression(scan, isQuoted, AFTER_DOLLAR);
  }
  const next = text.charAt(scan.at + 1);
  if (next === "(" || next === "[" || next === "{") return readSubstitution(scan, isQuoted);
  if (!isQuoted && (next === "'" || next === '"')) {
    scan.at += 2;
    return next === "'" ? readSingleQuoted(scan, true) : readDoubleQuoted(scan);
  }
  scan.at += 1;
  if (next !== "" && (SPECIAL_PARAMETERS.includes(next) || isDigit(next))) {
    scan.at += 1;
    return EXPANSION;
  }
  const nameLength = readName(scan);
  return nameLength > 0 ? EXPANSION : "$";
}

/** Moves behind letters, digits and `_`; gives how many there were. */
function readName(scan: ShellScan): number {
  const start = scan.at;
  while (scan.at < scan.end && isNameCharacter(scan.text.charAt(scan.at))) scan.at += 1;
  return scan.at - start;
}

/** Whether a variable's name may hold the character. */
export function isNameCharacter(character: string): boolean {
  const isLetter = (character >= "a" && character <= "z") || (character >= "A" && character <= "Z");
  return isLetter || isDigit(character) || character === "_";
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

function readSubstitution(scan: ShellScan, isQuoted: boolean): string {
  const opening = scan.text.charAt(scan.at + 1);
  if (opening === "[") {
    scan.at += 1;
    readArithmetic(scan);
  } else if (opening === "{") {
    scan.at += 2;
    nested(scan, () => readParameter(scan, isQuoted));
  } else if (scan.text.startsWith("((", scan.at + 1)) {
    scan.at += 1;
    readArithmetic(scan);
  } else {
    scan.at += 2;
    nested(scan, () => scan.readCommands(scan, ")", "command"));
  }
  return EXPANSION;
}

/**
 * Reads from a bracket to the one that closes it, as something that the shell computes. `$((` may also start a command
 * in a subshell; brackets close at the same place then, and refusing expressions there is the careful choice.
 */
export function readArithmetic(scan: ShellScan): void {
  const open = scan.text.charAt(scan.at);
  const close = open === "(" ? ")" : "]";
  scan.arithmetic += 1;
  nested(scan, () => {
    let level = 0;
    while (scan.at < scan.end) {
      const character = scan.text.charAt(scan.at);
      if (character === open) level += 1;
      if (character === close) level -= 1;
      if (readExpansion(scan, true) !== undefined) continue;
      scan.at += 1;
      if (level === 0) break;
      if (character === "'") readSingleQuoted(scan, false);
      if (character === '"') readDoubleQuoted(scan);
    }
  });
  scan.arithmetic -= 1;
}

/** How the text behind a parameter's name is used: put in as it is, given to the parameter first, computed, or matched. */
type ParameterUse = "value" | "assignment" | "arithmetic" | "pattern";

function readParameter(scan: ShellScan, isQuoted: boolean): void {
  while (scan.at < scan.end && "!#".includes(scan.text.charAt(scan.at))) scan.at += 1;
  const isSpecial = !isAtExpression(scan) && SPECIAL_PARAMETERS.includes(scan.text.charAt(scan.at));
  if (readName(scan) === 0 && isSpecial) scan.at += 1;
  if (scan.text.charAt(scan.at) === "[") readArithmetic(scan);
  const use = readParameterUse(scan);
  if (use === "arithmetic") scan.arithmetic += 1;
  while (scan.at < scan.end && scan.text.charAt(scan.at) !== "}") readParameterText(scan, use, isQuoted);
  scan.at = Math.min(scan.at + 1, scan.end);
  if (use === "arithmetic") scan.arithmetic -= 1;
}

function readParameterUse(scan: ShellScan): ParameterUse {
  const hasColon = scan.text.charAt(scan.at) === ":";
  const operator = scan.text.charAt(scan.at + (hasColon ? 1 : 0));
  if (operator !== "" && "-=+?".includes(operator)) {
    scan.at += hasColon ? 2 : 1;
    return operator === "=" ? "assignment" : "value";
  }
  return hasColon ? "arithmetic" : "pattern";
}

function readParameterText(scan: ShellScan, use: ParameterUse, isQuoted: boolean): void {
  const from = scan.found.length;
  readParameterPart(scan, use, isQuoted);
  const read = { from, to: scan.found.length };
  if (use === "arithmetic") refuse(scan, read, ARITHMETIC);
  if (use === "assignment" && !isQuoted) refuse(scan, read, IN_ASSIGNMENT);
}

function readParameterPart(scan: ShellScan, use: ParameterUse, isQuoted: boolean): void {
  if (use === "pattern" && isAtExpression(scan)) {
    readExpression(scan, isQuoted, IN_PARAMETER);
    return;
  }
  if (readExpansion(scan, isQuoted) !== undefined) return;
  const character = scan.text.charAt(scan.at);
  scan.at += 1;
  if (character === '"') readDoubleQuoted(scan);
  // Inside double quotes the text of `:-` takes a single quote for a plain character, a pattern does not.
  if (character === "'" && !(isQuoted && use !== "pattern")) readSingleQuoted(scan, false);
}
