import type { OutputStream } from "../io.ts";

/** Writes one JSON object on one line: what `--json` promises to programs. */
export function writeJsonLine(output: OutputStream, value: object): void {
  // The two line ends that JSON allows inside strings would split a line for some readers.
  output.write(`${JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")}\n`);
}
