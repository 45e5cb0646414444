import { Option } from "commander";
import type { Command } from "commander";
import type { GraphFormat } from "../commands/graph.ts";
import type { PlanCommandOptions } from "../commands/plan.ts";
import type { SimulateCommandOptions } from "../commands/simulate.ts";
import { integer, positiveInteger } from "./argument.ts";
import type { Does } from "./does.ts";
import { addExamples } from "./examples.ts";
import { addStoreOption } from "./store-option.ts";

const fileHelp = "workflow file, or `-` for stdin";

/** Commands that read workflow files and run nothing. */
export function addFileCommands(program: Command, does: Does): void {
  const validate = program
    .command("validate")
    .summary("check workflow files without running them")
    .description(
      "Checks workflow files and reports every problem of every file, with its line and what would be right.",
    )
    .argument("<files...>", "workflow files, or `-` for stdin")
    .option("--json", "one JSON object a line and file on stdout")
    .action((files: readonly string[], options: { readonly json?: boolean }, self: Command) =>
      does(self, async (context) => (await import("../commands/validate.ts")).validate(context, files, options)),
    );
  addExamples(
    validate,
    ["braid validate release.yaml", "braid validate workflows/*.yaml --json"],
    "Exit code 2 if any file has an error.",
  );

  const graph = program
    .command("graph")
    .summary("draw a workflow")
    .description("Draws the graph of a workflow.")
    .argument("<file>", fileHelp)
    .addOption(
      new Option("-f, --format <format>", "kind of drawing")
        .choices(["ascii", "mermaid", "dot", "json"])
        .default("ascii"),
    )
    .action((file: string, options: { readonly format: GraphFormat }, self: Command) =>
      does(self, async (context) => (await import("../commands/graph.ts")).graph(context, file, options)),
    );
  addExamples(graph, [
    "braid graph release.yaml",
    "braid graph release.yaml --format mermaid > release.mmd",
    "braid graph release.yaml --format dot | dot -Tsvg > release.svg",
  ]);

  addPlanCommand(program, does);
  addSimulateCommand(program, does);
}

function addPlanCommand(program: Command, does: Does): void {
  const plan = program
    .command("plan")
    .summary("show what runs after what, and why")
    .description(
      "Shows the edges of a workflow with the reason for each, its levels, its critical path, and the time and speed-up to expect.",
    )
    .argument("<file>", fileHelp)
    .option(
      "--durations <file>",
      "JSON or YAML file with a duration per step (default: past runs in the store, else 1 per step)",
    )
    .option("--json", "one JSON object on stdout")
    .action((file: string, options: PlanCommandOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/plan.ts")).plan(context, file, options)),
    );
  addExamples(addStoreOption(plan), [
    "braid plan release.yaml",
    "braid plan release.yaml --durations times.yaml --json",
  ]);
}

const durationsFile = `A durations file:
  build: 90s
  test: { duration: 2m, failures: 1 }
  deploy: { items: 12, duration: 10s }
  notify: { when: false }`;

function addSimulateCommand(program: Command, does: Does): void {
  const simulate = program
    .command("simulate")
    .summary("show what would happen, and when, without running anything")
    .description(
      "Drives the workflow with virtual time: the real scheduler, invented or given durations, and no code of any step.",
    )
    .argument("<file>", fileHelp)
    .option("--seed <n>", "seed of the invented durations; the same seed gives the same picture", integer, 1)
    .option("--durations <file>", "JSON or YAML file: per step a duration, or {duration, fails, failures, items, when}")
    .option("--max-concurrent <n>", "most tasks at a time", positiveInteger)
    .option("--json", "trace events and a summary on stdout, one JSON object a line")
    .action((file: string, options: SimulateCommandOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/simulate.ts")).simulateFile(context, file, options)),
    );
  addExamples(
    simulate,
    ["braid simulate release.yaml --seed 7", "braid simulate release.yaml --durations times.yaml"],
    durationsFile,
  );
}
