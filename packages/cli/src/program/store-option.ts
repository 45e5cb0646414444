import type { Command } from "commander";

/** `--store`, the same for all commands that need one. */
export function addStoreOption(command: Command): Command {
  const help =
    "where runs are kept: postgres://…, sqlite:path or memory: (default: BRAID_STORE, else sqlite:.braid/braid.db)";
  return command.option("--store <url>", help);
}
