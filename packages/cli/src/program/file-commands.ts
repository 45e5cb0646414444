import { Option } from "commander";
import type { Command } from "commander";
import type { GraphFormat } from "../commands/graph.ts";
import type { PlanCommandOptions } from "../commands/plan.ts";
import type { SimulateCommandOptions } from "../commands/simulate.ts";
import type { Does } from "./does.ts";
import { integer, positiveInteger } from "./argument.ts";
import { addStoreOption } from "./store-option.ts";

/** Commands that read workflow files and run nothing. */
export function addFileCommands(program: Command, does: Does): void {
  program
    .command("validate")
    .summary("check workflow files without running them")
    .description(
      "Checks workflow files and reports every problem of every file, with its line and what would be right.",
    )
    .argument("<files...>", "workflow files, or `-` for stdin")
    .option("--json", "one JSON object a line and file on stdout")
    .addHelpText(
      "after",
      "\nExamples:\n  braid validate release.yaml\n  braid validate workflows/*.yaml --json\n\nExit code 2 if any file has an error.",
    )
    .action((files: readonly string[], options: { readonly json?: boolean }, command: Command) =>
      does(command, async (context) => (await import("../commands/validate.ts")).validate(context, files, options)),
    );

  program
    .command("graph")
    .summary("draw a workflow")
    .description("Draws the graph of a workflow.")
    .argument("<file>", "workflow file, or `-` for stdin")
    .addOption(
      new Option("-f, --format <format>", "kind of drawing")
        .choices(["ascii", "mermaid", "dot", "json"])
        .default("ascii"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  braid graph release.yaml\n  braid graph release.yaml --format mermaid > release.mmd\n  braid graph release.yaml --format dot | dot -Tsvg > release.svg",
    )
    .action((file: string, options: { readonly format: GraphFormat }, command: Command) =>
      does(command, async (context) => (await import("../commands/graph.ts")).graph(context, file, options)),
    );

  addPlanCommand(program, does);
  addSimulateCommand(program, does);
}

function addPlanCommand(program: Command, does: Does): void {
  const planCommand = program
    .command("plan")
    .summary("show what runs after what, and why")
    .description(
      "Shows the edges of a workflow with the reason for each, its levels, its critical path, and the time and speed-up to expect.",
    )
    .argument("<file>", "workflow file, or `-` for stdin")
    .option(
      "--durations <file>",
      "JSON or YAML file with a duration per step (default: past runs in the store, else 1 per step)",
    );
  addStoreOption(planCommand)
    .option("--json", "one JSON object on stdout")
    .addHelpText(
      "after",
      "\nExamples:\n  braid plan release.yaml\n  braid plan release.yaml --durations times.yaml --json",
    )
    .action((file: string, options: PlanCommandOptions, command: Command) =>
      does(command, async (context) => (await import("../commands/plan.ts")).plan(context, file, options)),
    );
}

function addSimulateCommand(program: Command, does: Does): void {
  program
    .command("simulate")
    .summary("show what would happen, and when, without running anything")
    .description(
      "Drives the workflow with virtual time: the real scheduler, invented or given durations, and no code of any step.",
    )
    .argument("<file>", "workflow file, or `-` for stdin")
    .option("--seed <n>", "seed of the invented durations; the same seed gives the same picture", integer, 1)
    .option("--durations <file>", "JSON or YAML file: per step a duration, or {duration, fails, failures, items, when}")
    .option("--max-concurrent <n>", "most tasks at a time", positiveInteger)
    .option("--json", "trace events and a summary on stdout, one JSON object a line")
    .addHelpText(
      "after",
      "\nExamples:\n  braid simulate release.yaml --seed 7\n  braid simulate release.yaml --durations times.yaml\n\nA durations file:\n  build: 90s\n  test: { duration: 2m, failures: 1 }\n  deploy: { items: 12, duration: 10s }\n  notify: { when: false }",
    )
    .action((file: string, options: SimulateCommandOptions, command: Command) =>
      does(command, async (context) => (await import("../commands/simulate.ts")).simulateFile(context, file, options)),
    );
}
