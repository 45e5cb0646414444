import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";

/** A command's work: it answers the exit code. */
export type Action = (context: CommandContext) => Promise<number>;

/** Lets a command definition say what it does without loading it: `does(command, async () => (await import(…)).…)`. */
export type Does = (command: Command, action: Action) => Promise<void>;
