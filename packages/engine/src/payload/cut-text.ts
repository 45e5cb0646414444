/** A piece of a line that is longer than this is kept: then lines are not what the text is made of. */
const maxLinePiece = 8_192;
/** The same for words. */
const maxWordPiece = 256;

const separators = new Set(" \t\n\r\"',;&<>()[]{}");

/**
 * Drops the piece of a line, or else of a word, that a cut left at the end of a text. Masking comes after cutting, and
 * half a secret would not be found; besides, whole lines are easier to read.
 */
export function dropBrokenEnd(text: string): string {
  const lineEnd = text.lastIndexOf("\n");
  if (lineEnd >= 0 && text.length - lineEnd <= maxLinePiece) return text.slice(0, lineEnd + 1);
  let end = text.length;
  while (end > 0 && text.length - end <= maxWordPiece && !separators.has(text.charAt(end - 1))) end -= 1;
  return end > 0 && text.length - end <= maxWordPiece ? text.slice(0, end) : text;
}

/** The same at the beginning of a text. */
export function dropBrokenStart(text: string): string {
  const lineEnd = text.indexOf("\n");
  if (lineEnd >= 0 && lineEnd < maxLinePiece) return text.slice(lineEnd + 1);
  let start = 0;
  while (start < text.length && start <= maxWordPiece && !separators.has(text.charAt(start))) start += 1;
  return start < text.length && start <= maxWordPiece ? text.slice(start) : text;
}
