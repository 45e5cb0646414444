import type { OutputStream } from "../io.ts";

/** A terminal that understands what the live screen sends, and shows what a person would see. */
export interface FakeTerminal extends OutputStream {
  columns: number;
  rows: number;
  /** Lines on the screen and those that have scrolled off it, without trailing blanks. */
  readonly lines: () => readonly string[];
  readonly isCursorVisible: () => boolean;
  readonly writes: () => number;
  readonly resize: (columns: number, rows: number) => void;
}

export function fakeTerminal(size: { readonly columns: number; readonly rows: number }): FakeTerminal {
  const lines: string[] = [""];
  const listeners = new Set<() => void>();
  let row = 0;
  let column = 0;
  let isVisible = true;
  let writes = 0;

  const top = (): number => Math.max(0, lines.length - terminal.rows);
  const put = (text: string): void => {
    const line = (lines[row] ?? "").padEnd(column);
    lines[row] = line.slice(0, column) + text + line.slice(column + text.length);
    column += text.length;
  };
  const obey = (sequence: string): void => {
    if (sequence === "\u001b[?25l") isVisible = false;
    else if (sequence === "\u001b[?25h") isVisible = true;
    else if (sequence === "\u001b[K") lines[row] = (lines[row] ?? "").slice(0, column);
    else if (sequence === "\u001b[J") {
      lines[row] = (lines[row] ?? "").slice(0, column);
      lines.length = row + 1;
    } else if (sequence.endsWith("A")) row = Math.max(top(), row - Number(sequence.slice(2, -1)));
    else if (!sequence.endsWith("m")) throw new Error(`the fake terminal does not know ${JSON.stringify(sequence)}`);
  };

  const terminal: FakeTerminal = {
    ...size,
    isTerminal: true,
    isBroken: false,
    write(content) {
      writes += 1;
      // oxlint-disable-next-line no-control-regex
      for (const [piece] of content.matchAll(/\u001b\[[?\d;]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g)) {
        if (piece.startsWith("\u001b")) obey(piece);
        else if (piece === "\r") column = 0;
        else if (piece === "\n") {
          row += 1;
          column = 0;
          lines[row] ??= "";
        } else put(piece);
      }
    },
    onResize(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    lines: () => lines.map((line) => line.trimEnd()),
    isCursorVisible: () => isVisible,
    writes: () => writes,
    resize(columns, rows) {
      terminal.columns = columns;
      terminal.rows = rows;
      for (const listener of listeners) listener();
    },
  };
  return terminal;
}
