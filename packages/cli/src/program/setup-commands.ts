import { Argument } from "commander";
import type { Command } from "commander";
import type { Shell } from "../commands/completion.ts";
import type { PruneOptions } from "../commands/prune.ts";
import { notNegativeInteger } from "./argument.ts";
import type { Does } from "./does.ts";
import { addExamples } from "./examples.ts";
import { addStoreOption } from "./store-option.ts";

/** Commands around runs: first steps, cleaning up, the shell. */
export function addSetupCommands(program: Command, does: Does): void {
  addPruneCommand(program, does);

  const init = program
    .command("init")
    .summary("write a first workflow file")
    .description("Writes a small commented workflow file. An existing file is never overwritten.")
    .argument("[file]", "where to write it", "workflow.yaml")
    .action((file: string, _options: object, self: Command) =>
      does(self, async (context) => (await import("../commands/init.ts")).init(context, file)),
    );
  addExamples(init, ["braid init", "braid init workflows/release.yaml"]);

  const completion = program
    .command("completion")
    .summary("print a completion script for your shell")
    .description("Prints a completion script for bash, zsh or fish.")
    .addArgument(new Argument("<shell>", "your shell").choices(["bash", "zsh", "fish"]))
    .action((shell: Shell, _options: object, self: Command) =>
      does(self, async (context) => (await import("../commands/completion.ts")).completion(context, program, shell)),
    );
  addExamples(completion, [
    "braid completion bash > ~/.local/share/bash-completion/completions/braid",
    'braid completion zsh > "${fpath[1]}/_braid"',
    "braid completion fish > ~/.config/fish/completions/braid.fish",
  ]);
}

function addPruneCommand(program: Command, does: Does): void {
  const prune = program
    .command("prune")
    .summary("delete old runs")
    .description("Deletes runs that have ended, by age, by number, or both.")
    .option("--older-than <duration>", "runs that are older than this, such as 7d")
    .option("--keep <n>", "all but this many of the newest runs", notNegativeInteger)
    .option("--workflow <name>", "only runs of this workflow")
    .option("--dry-run", "only say which")
    .option("--json", "one JSON object on stdout")
    .action((options: PruneOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/prune.ts")).prune(context, options)),
    );
  addExamples(
    addStoreOption(prune),
    ["braid prune --older-than 7d", "braid prune --keep 100 --dry-run"],
    "The default store prunes itself: runs older than 30 days or beyond 1,000.",
  );
}
