import stringWidth from "string-width";

/** Columns the text takes on a terminal: wide characters count two, combining ones and color codes none. */
export function widthOf(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text);
}

/** The text cut to `columns`, with `…` where something is missing. Color codes are kept whole and closed. */
export function fitTo(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (widthOf(text) <= columns) return text;
  let result = "";
  let used = 0;
  let hasColor = false;
  for (const piece of pieces(text)) {
    if (piece.startsWith("\u001b[")) {
      result += piece;
      hasColor = true;
      continue;
    }
    const width = widthOf(piece);
    if (used + width > columns - 1) break;
    result += piece;
    used += width;
  }
  return `${result}…${hasColor ? "\u001b[0m" : ""}`;
}

/** The text with spaces behind it up to `columns`. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

/** The text with spaces before it up to `columns`. */
export function padBefore(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - widthOf(text))) + text;
}

/** Printable ASCII: its width is its length, and nearly every text is of this kind. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
// oxlint-disable-next-line no-control-regex
const colorCode = /(\u001b\[[\d;:]*m)/;

function* pieces(text: string): Generator<string> {
  for (const part of text.split(colorCode)) {
    if (part.startsWith("\u001b[")) yield part;
    else for (const { segment } of segmenter.segment(part)) yield segment;
  }
}
