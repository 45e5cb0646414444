import type { OutputStream } from "../io.ts";
import { widthOf } from "./width.ts";

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const clearToLineEnd = "\u001b[K";
const clearBelow = "\u001b[J";

/**
 * A block of lines at the bottom of a terminal that is painted again and again in place. Between two paintings the
 * cursor stands at the start of the line below the block. Text can be written above it; `close` leaves the last painting
 * where it is and gives the cursor back.
 */
export class LiveScreen {
  readonly #output: OutputStream;
  #painted: readonly string[] = [];
  #isOpen = false;

  constructor(output: OutputStream) {
    this.#output = output;
  }

  /**
   * Paints the lines over those of the last painting; `above`, whole lines, goes before them and stays. Each line must be
   * narrower than the screen, and all of them together lower than it.
   */
  paint(lines: readonly string[], above = ""): void {
    const opening = this.#isOpen ? "" : hideCursor;
    const makeRoom = above === "" ? "" : `${clearBelow}${above}`;
    const body = lines.map((line) => `${line}${clearToLineEnd}\n`).join("");
    // One write: a terminal that draws between two would flicker.
    this.#output.write(`${opening}${this.#toTop()}${makeRoom}${body}${clearBelow}`);
    this.#isOpen = true;
    this.#painted = lines;
  }

  /** Gives the cursor back. Harmless when repeated. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#painted = [];
    this.#output.write(showCursor);
  }

  /**
   * Moves the cursor to the first line of the block. A terminal that has become narrower since has wrapped the lines, so
   * the block may be higher than it was; more than a screen it cannot be moved up.
   */
  #toTop(): string {
    const { columns, rows } = this.#output;
    const height = this.#painted.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    const up = Math.min(height, rows - 1);
    return up > 0 ? `\r\u001b[${up}A` : "\r";
  }
}
