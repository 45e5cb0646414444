import { Option } from "commander";
import type { Command } from "commander";
import type { RunCommandOptions } from "../commands/prepare-run.ts";
import type { Does } from "./does.ts";
import { addStoreOption } from "./store-option.ts";
import { collect, positiveInteger, runId } from "./argument.ts";

export function addRunCommand(program: Command, does: Does): void {
  const command = program
    .command("run")
    .summary("run a workflow and watch it")
    .description("Runs a workflow in this process and shows its progress until it ends.")
    .argument(
      "[file]",
      "workflow file (.yaml, .yml, .json, .ts, .mts, .js, .mjs), `-` for stdin, or the name of a stored workflow",
    )
    .option("-i, --input <name=value>", "value of a declared input; may be repeated", collect)
    .option("--input-file <file>", "inputs from a JSON or YAML file; --input wins over it")
    .option("--env-file <file>", "variables for steps and secrets, as NAME=value lines; they win over inherited ones")
    .option(
      "--max-concurrent <n>",
      "most tasks at a time (default: the file, BRAID_MAX_CONCURRENT, WORKFLOW_CONCURRENCY, 10)",
      positiveInteger,
    )
    .option("--timeout <duration>", "end the run after this time")
    .option("--fail-fast", "stop everything at the first failure")
    .option("--no-fail-fast", "let independent steps go on after a failure");
  addStoreOption(command)
    .addOption(new Option("--ephemeral", "keep the run in memory only").conflicts(["store", "resume", "detach"]))
    .addOption(
      new Option(
        "--resume <id>",
        "attach to a run and work on it until it ends; one whose process died is taken over at once",
      )
        .argParser(runId)
        .conflicts(["input", "inputFile", "dryRun", "detach", "timeout", "failFast", "maxConcurrent"]),
    )
    .addOption(new Option("--dry-run", "show what would run, and run nothing").conflicts(["detach"]))
    .option("--json", "write trace events and the summary to stdout, one JSON object a line")
    .option("-q, --quiet", "show no progress; failures are still shown")
    .addOption(
      new Option(
        "--logs <which>",
        "step logs to show: full, errors or none (default: errors on a terminal, full elsewhere)",
      ).choices(["full", "errors", "none"]),
    )
    .option("-d, --detach", "accept the run, print its id and leave; a worker or `run --resume` carries it on")
    .addHelpText("after", runHelp)
    .action((file: string | undefined, options: RunCommandOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/run.ts")).runWorkflow(context, file, options)),
    );
}

const runHelp = `
Progress goes to stderr; the workflow's output, or the JSON lines, go to stdout. The first Ctrl-C cancels the
run and waits for it to end, the second kills it.

Examples:
  braid run release.yaml
  braid run release.yaml --input sha=4f2a91c --input regions='["eu","us"]'
  braid run release.yaml --input-file inputs.yaml --max-concurrent 4 --timeout 10m
  braid run flow.ts --ephemeral --json > events.jsonl
  generate-workflow | braid run -
  braid run --resume 0198c0de`;
