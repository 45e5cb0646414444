import { cleanControls, hasControls } from "./control-text.ts";
import type { Masker } from "./mask.ts";
import type { TextRange } from "./pattern-search.ts";

/** Longest line that is kept in one piece. */
const maxLineLength = 65_536;

/** Takes a program's output in chunks, cut anywhere, and gives it on in lines that are masked and safe to show. */
export interface LineMasker {
  write(chunk: Uint8Array | string): void;
  /** Gives on what is left without a line end. */
  end(): void;
}

/**
 * A secret that is split over chunks is found because only whole lines are masked. A line longer than 64 KiB is given on
 * in pieces, and each keeps back as many characters as the longest secret has, so that the cut does not hide one either.
 *
 * Of a line that was drawn over (`\r`, as progress bars do) only the last state is given on.
 */
export function createLineMasker(masker: Masker, onLine: (line: string) => void): LineMasker {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const longest = maxLineLength + masker.longestSecret;
  let rest = "";

  const give = (line: string): void => {
    const { start, end } = lastStateOf(line);
    onLine(maskLine(line.slice(start, end), masker));
  };

  const take = (text: string): void => {
    let at = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", at)) {
      give(rest + text.slice(at, end));
      rest = "";
      at = end + 1;
    }
    rest += text.slice(at);
    if (rest.length > longest) rest = rest.slice(lastStateOf(rest).start);
    while (rest.length > longest) rest = giveLongLine(rest, masker, onLine);
  };

  return {
    write(chunk) {
      if (typeof chunk === "string") take(decoder.decode() + chunk);
      else take(decoder.decode(chunk, { stream: true }));
    },
    end() {
      take(decoder.decode());
      if (rest !== "") give(rest);
      rest = "";
    },
  };
}

/** What a terminal shows of a line after the last `\r` that something follows. */
function lastStateOf(line: string): TextRange {
  let end = line.length;
  while (end > 0 && line[end - 1] === "\r") end -= 1;
  // Without the check, -1 as a position would be read as 0.
  const start = end === 0 ? 0 : line.lastIndexOf("\r", end - 1) + 1;
  return { start, end };
}

/** Gives on the first piece of a long line and answers what is left. */
function giveLongLine(line: string, masker: Masker, onLine: (line: string) => void): string {
  const isInsideCharacter = /[\ud800-\udbff]/.test(line.charAt(maxLineLength - 1));
  const cut = masker.safeCut(line, isInsideCharacter ? maxLineLength - 1 : maxLineLength);
  onLine(maskLine(line.slice(0, cut), masker));
  return line.slice(cut);
}

function maskLine(line: string, masker: Masker): string {
  const masked = masker.maskText(line);
  if (!hasControls(masked)) return masked;
  // A program may colour a part of a secret (`grep --color`), so it is looked for without the colours too.
  const bare = cleanControls(masked, { keepsStyles: false });
  return masker.contains(bare) ? masker.maskText(bare) : cleanControls(masked);
}
