import type { Io, OutputStream } from "../io.ts";

/** `--color`. */
export type ColorChoice = "always" | "never" | "auto";

/** What one output stream can show. */
export interface Style {
  readonly colors: boolean;
  /** Whether marks may be other than ASCII. */
  readonly unicode: boolean;
}

export type Color = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "gray" | "bold" | "dim";

const codes: Readonly<Record<Color, readonly [open: number, close: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  gray: [90, 39],
};

/** The text in that color, or as it is where colors are off. */
export function paint(style: Style, color: Color, text: string): string {
  if (!style.colors || text === "") return text;
  const [open, close] = codes[color];
  return `\u001b[${open}m${text}\u001b[${close}m`;
}

/** Decides what a stream can show, from `--color`, the environment and the stream itself. */
export function styleOf(io: Pick<Io, "env">, stream: OutputStream, choice: ColorChoice): Style {
  return { colors: hasColors(io.env, stream, choice), unicode: hasUnicode(io.env) };
}

/**
 * The flag wins, then FORCE_COLOR (as in Node itself), then NO_COLOR, then CLICOLOR_FORCE, then whether a terminal that
 * knows colors is there. GitHub Actions shows colors in its log although it is no terminal.
 */
function hasColors(env: Io["env"], stream: OutputStream, choice: ColorChoice): boolean {
  if (choice !== "auto") return choice === "always";
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const cliForce = env["CLICOLOR_FORCE"];
  if (cliForce !== undefined && cliForce !== "" && cliForce !== "0") return true;
  if (env["TERM"] === "dumb" || env["CLICOLOR"] === "0") return false;
  return stream.isTerminal || env["GITHUB_ACTIONS"] === "true";
}

/** Only an environment that says outright that it knows nothing but ASCII gets ASCII marks. */
function hasUnicode(env: Io["env"]): boolean {
  if (env["TERM"] === "linux") return false;
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  return locale !== "C" && locale !== "POSIX";
}

/** Whether a table may be repainted in place: a person is watching a terminal that can move its cursor. */
export function canRepaint(io: Pick<Io, "env">, stream: OutputStream): boolean {
  if (!stream.isTerminal || io.env["TERM"] === "dumb") return false;
  const ci = io.env["CI"];
  return ci === undefined || ci === "" || ci === "0" || ci === "false";
}
