import type { Command } from "commander";
import { Option } from "commander";
import type { MigrateOptions } from "../commands/migrate.ts";
import type { ApplyOptions } from "../commands/workflows/apply.ts";
import type { ShowWorkflowOptions } from "../commands/workflows/show.ts";
import { positiveInteger } from "./argument.ts";
import type { Does } from "./does.ts";
import { addExamples } from "./examples.ts";
import { addStoreOption } from "./store-option.ts";

/** Commands about a store itself: its tables, and the workflows it knows. */
export function addStoreCommands(program: Command, does: Does): void {
  const migrate = program
    .command("migrate")
    .summary("bring the tables of a store up to date")
    .description(
      "Brings a PostgreSQL store to the schema of this build. Workers and other commands do so by themselves if their user may; " +
        "this is for those whose workers may not.",
    )
    .addOption(new Option("--check", "change nothing; exit code 1 if migrations are missing").conflicts(["print"]))
    .option("--print", "change nothing; print the missing migrations as a script for psql")
    .addOption(
      new Option("--grants <role>", "print the least rights of a role that works on the store").conflicts(["check"]),
    )
    .action((options: MigrateOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/migrate.ts")).migrate(context, options)),
    );
  addExamples(
    addStoreOption(migrate),
    [
      "braid migrate --store postgres://owner@db.example/braid",
      "braid migrate --check",
      "braid migrate --grants braid_worker | psql service=braid",
    ],
    "An SQLite store is brought up to date by whoever opens it.",
  );
  addWorkflowsCommands(program, does);
}

function addWorkflowsCommands(program: Command, does: Does): void {
  const workflows = program
    .command("workflows")
    .summary("put workflows into a store")
    .description("Puts workflows into a store, where runs are started by their name, and shows them.");

  const apply = workflows
    .command("apply")
    .description("Stores workflows. What is stored already keeps its version; a changed one gets the next.")
    .argument("<files...>", "workflow files, or `-` for stdin")
    .option("--json", "one JSON object a line and workflow on stdout")
    .action((files: readonly string[], options: ApplyOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/workflows/apply.ts")).apply(context, files, options)),
    );
  addExamples(addStoreOption(apply), ["braid workflows apply release.yaml", "braid run release"]);

  const show = workflows
    .command("show")
    .description("Shows a stored workflow: its version, and its graph.")
    .argument("<name>", "name of the workflow")
    .option("--workflow-version <n>", "this version, not the newest", positiveInteger)
    .option("--json", "one JSON object on stdout")
    .action((name: string, options: ShowWorkflowOptions, self: Command) =>
      does(self, async (context) =>
        (await import("../commands/workflows/show.ts")).showWorkflow(context, name, options),
      ),
    );
  addExamples(addStoreOption(show), ["braid workflows show release", "braid workflows show release --json"]);
  addExamples(workflows, ["braid workflows apply release.yaml", "braid workflows show release"]);
}
