import type { Io } from "./io.ts";
import { styleOf } from "./terminal/style.ts";
import type { ColorChoice, Style } from "./terminal/style.ts";

/** What every command gets beside its own arguments. */
export interface CommandContext {
  readonly io: Io;
  readonly color: ColorChoice;
}

export function stdoutStyle({ io, color }: CommandContext): Style {
  return styleOf(io, io.stdout, color);
}

export function stderrStyle({ io, color }: CommandContext): Style {
  return styleOf(io, io.stderr, color);
}
