import { Command, CommanderError, Option } from "commander";
import { exitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import type { Does } from "./program/does.ts";
import { addFileCommands } from "./program/file-commands.ts";
import { addRunCommand } from "./program/run-command.ts";
import { addRunsCommands } from "./program/runs-commands.ts";
import { addSetupCommands } from "./program/setup-commands.ts";
import { addStoreCommands } from "./program/store-commands.ts";
import { addWorkerCommand } from "./program/worker-command.ts";
import type { ColorChoice } from "./terminal/style.ts";

export interface ProgramOptions {
  readonly io: Io;
  readonly version: () => string;
}

/** Reads the command line, does what it says, and answers the exit code. Only the chosen command's code is loaded. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<number> {
  let code: number = exitCode.ok;
  const does: Does = async (command, action) => {
    const { color } = command.optsWithGlobals<{ readonly color?: ColorChoice }>();
    code = await action({ io: options.io, color: color ?? "auto" });
  };
  const program = createProgram(options, does);
  try {
    if (args.length === 0) {
      options.io.stderr.write(program.helpInformation());
      return exitCode.usage;
    }
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for are no mistake; everything else commander throws is one of usage.
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  return code;
}

/** The whole command tree: also the source of the completion scripts. */
function createProgram({ io, version }: ProgramOptions, does: Does): Command {
  const program = new Command("braid");
  program
    .description("Runs workflows whose steps form a graph: independent steps run at the same time.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "braid: ")),
      getOutHelpWidth: () => (io.stdout.isTerminal ? Math.min(io.stdout.columns, 110) : 100),
      getErrHelpWidth: () => (io.stderr.isTerminal ? Math.min(io.stderr.columns, 110) : 100),
    })
    .option("-V, --version", "print the version")
    .addOption(new Option("--color <when>", "use colors").choices(["auto", "always", "never"]).default("auto"))
    .option("--debug", "show where an error happened (also BRAID_DEBUG=1)")
    .on("option:version", () => {
      io.stdout.write(`${version()}\n`);
      throw new CommanderError(0, "commander.version", "version");
    });
  addRunCommand(program, does);
  addFileCommands(program, does);
  addRunsCommands(program, does);
  addWorkerCommand(program, does);
  addStoreCommands(program, does);
  addSetupCommands(program, does);
  program.addHelpText("after", programHelp);
  return program;
}

const programHelp = `
Examples:
  braid init                                 write a first workflow file
  braid run workflow.yaml                    run it and watch
  braid run workflow.yaml --input sha=abc    with an input
  braid validate *.yaml                      check files without running them
  braid plan workflow.yaml                   what runs after what, and why
  braid runs list                            runs of this directory
  braid run --resume ID                      carry on a run whose process has died
  braid run workflow.yaml --detach           leave it to the workers of the store
  braid worker                               be one of them

Exit codes: 0 completed (also with warnings), 1 failed, 2 wrong usage, input or definition, 3 the engine
could not go on, 124 the run's own timeout, 130 canceled.

Runs are kept in .braid/braid.db of the working directory; --store or BRAID_STORE names another place.`;
