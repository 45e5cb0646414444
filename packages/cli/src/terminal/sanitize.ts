/**
 * Text that a step, a file or an id brought along is data: it must never move the cursor, set the title, forge a second
 * line or turn the reading direction around. Only colors may pass, and only where the terminal shows them.
 *
 * The scanner looks at one line at a time, so an escape sequence that never ends can swallow the rest of its own line and
 * nothing after it.
 */

const escape = 0x1b;
/** Nearly every line is plain, and a line without any of these has nothing that the scanner would take away. */
// oxlint-disable-next-line no-control-regex
const suspicious = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** One line of a step's log, without its line end. Colors are kept if `colors` is set and are closed at the end. */
export function sanitizeLine(line: string, options: { readonly colors: boolean }): string {
  if (!suspicious.test(line)) return line;
  const source = lastOverwrite(line);
  let result = "";
  let hasColor = false;
  let index = 0;
  while (index < source.length) {
    const code = source.charCodeAt(index);
    if (code === escape || code === 0x9b || isStringOpener(code)) {
      const end = endOfSequence(source, index);
      const sequence = source.slice(index, end);
      if (options.colors && isColor(sequence)) {
        result += sequence;
        hasColor = true;
      }
      index = end;
      continue;
    }
    result += isUnsafe(code) ? "\uFFFD" : source[index];
    index += 1;
  }
  return hasColor ? `${result}\u001b[0m` : result;
}

/** An id, a name or a message on one line, without any control sequence, cut to `maxLength` characters. */
export function oneLine(text: string, maxLength = 500): string {
  const joined = text
    .split(/\r\n|[\r\n\v\f\u0085\u2028\u2029]/)
    .map((line) => sanitizeLine(line, { colors: false }).replaceAll("\t", " "))
    .filter((line, index) => line !== "" || index === 0)
    .join(" ");
  if (joined.length <= maxLength) return joined;
  // A cut in the middle of a surrogate pair would leave half a character.
  const end = isHighSurrogate(joined.charCodeAt(maxLength - 2)) ? maxLength - 2 : maxLength - 1;
  return `${joined.slice(0, end)}…`;
}

/** A program that draws a progress bar returns to the start of the line: the last drawing is what a terminal would show. */
function lastOverwrite(line: string): string {
  if (!line.includes("\r")) return line;
  const drawings = line.split("\r").filter((part) => part !== "");
  return drawings.at(-1) ?? "";
}

/** DCS, SOS, OSC, PM and APC as single C1 characters: each opens a string that runs up to ST. */
function isStringOpener(code: number): boolean {
  return code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f;
}

/** Index behind the control sequence that starts at `start`, by the grammar of ECMA-48. */
function endOfSequence(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === 0x9b) return endOfControlSequence(text, start + 1);
  if (first !== escape) return endOfString(text, start + 1);
  const next = text[start + 1];
  if (next === undefined) return start + 1;
  if (next === "[") return endOfControlSequence(text, start + 2);
  if ("]PX^_".includes(next)) return endOfString(text, start + 2);
  // Two-character sequences, with intermediates such as `ESC ( B` before the final character.
  let index = start + 1;
  while (index < text.length && isBetween(text.charCodeAt(index), 0x20, 0x2f)) index += 1;
  return isBetween(text.charCodeAt(index), 0x30, 0x7e) ? index + 1 : index;
}

function endOfControlSequence(text: string, start: number): number {
  let index = start;
  while (index < text.length && isBetween(text.charCodeAt(index), 0x20, 0x3f)) index += 1;
  return isBetween(text.charCodeAt(index), 0x40, 0x7e) ? index + 1 : index;
}

/** Strings end with BEL, `ESC \` or C1 ST; an open one takes the rest of the line with it. */
function endOfString(text: string, start: number): number {
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x07 || code === 0x9c) return index + 1;
    if (code === escape && text[index + 1] === "\\") return index + 2;
  }
  return text.length;
}

function isColor(sequence: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^\u001b\[[\d;:]*m$/.test(sequence);
}

/** C0 but the tab, DEL, C1, and the characters that change the reading direction or break a line. */
function isUnsafe(code: number): boolean {
  if (code < 0x20) return code !== 0x09;
  if (isBetween(code, 0x7f, 0x9f)) return true;
  if (code === 0x061c || isBetween(code, 0x200e, 0x200f)) return true;
  return isBetween(code, 0x2028, 0x202e) || isBetween(code, 0x2066, 0x2069);
}

function isBetween(code: number, low: number, high: number): boolean {
  return code >= low && code <= high;
}

function isHighSurrogate(code: number): boolean {
  return isBetween(code, 0xd800, 0xdbff);
}
