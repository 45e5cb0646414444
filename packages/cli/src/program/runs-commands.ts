import { Option } from "commander";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import type { ControlOptions, ControlRequest } from "../commands/runs/control.ts";
import type { EventsOptions } from "../commands/runs/events.ts";
import type { ListOptions } from "../commands/runs/list.ts";
import type { LogsOptions } from "../commands/runs/logs.ts";
import type { RetryOptions } from "../commands/runs/retry.ts";
import type { ShowOptions } from "../commands/runs/show.ts";
import { notNegativeInteger, positiveInteger, runId } from "./argument.ts";
import type { Does } from "./does.ts";
import { addExamples } from "./examples.ts";
import { addStoreOption } from "./store-option.ts";

/** `braid runs …`: what a store knows, and what can be asked of a run from any process. */
export function addRunsCommands(program: Command, does: Does): void {
  const runs = program
    .command("runs")
    .summary("list, show and steer runs")
    .description("Lists, shows and steers the runs of a store.");
  addListCommand(runs, does);
  addReadingCommands(runs, does);
  addControlCommands(runs, does);
  addRetryCommand(runs, does);
  addExamples(runs, [
    "braid runs list --status failed",
    "braid runs show 0198c0de",
    "braid runs retry 0198c0de --from deploy",
  ]);
}

/** A command with the options that all of them have. */
function command(runs: Command, name: string, description: string): Command {
  return addStoreOption(runs.command(name).description(description)).option(
    "--json",
    "JSON on stdout, one object a line",
  );
}

/** As `command`, about one run. */
function runCommand(runs: Command, name: string, description: string): Command {
  return command(runs, name, description).argument("<id>", "run id, or enough of its beginning or end", runId);
}

function addListCommand(runs: Command, does: Does): void {
  const list = command(runs, "list", "Lists runs, newest first.")
    .option("--workflow <name>", "only runs of this workflow")
    .option("--status <status...>", "only runs with one of these statuses")
    .option("-n, --limit <n>", "most runs to list", positiveInteger, 20)
    .option("--before <id>", "only runs that are older than this one: the next page", runId)
    .action((options: ListOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/runs/list.ts")).listRuns(context, options)),
    );
  addExamples(list, [
    "braid runs list",
    "braid runs list --status failed canceled --limit 5",
    "braid runs list --workflow release --json",
  ]);
}

function addReadingCommands(runs: Command, does: Does): void {
  const show = runCommand(runs, "show", "Shows a run: its steps, why they wait, and its error.").action(
    (id: string, options: ShowOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/runs/show.ts")).showRun(context, id, options)),
  );
  addExamples(show, ["braid runs show 0198c0de", "braid runs show 0198c0de --json"]);

  const logs = runCommand(runs, "logs", "Prints what the steps of a run wrote.")
    .option("--step <step>", "only this step")
    .option("--tail <n>", "only the last lines", positiveInteger)
    .action((id: string, options: LogsOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/runs/logs.ts")).showLogs(context, id, options)),
    );
  addExamples(logs, ["braid runs logs 0198c0de", "braid runs logs 0198c0de --step build --tail 50"]);

  const events = runCommand(runs, "events", "Prints the trace of a run.")
    .option("-f, --follow", "go on until the run has ended")
    .option("--after <seq>", "only events after this number", notNegativeInteger, 0)
    .action((id: string, options: EventsOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/runs/events.ts")).showEvents(context, id, options)),
    );
  addExamples(events, ["braid runs events 0198c0de", "braid runs events 0198c0de --follow --json"]);
}

const controls = {
  cancel: "Cancels a run: running steps are stopped, and only `finally` still starts. A second cancel stops that too.",
  pause: "Pauses a run: running steps go on, nothing new starts.",
  resume: "Ends a pause. (A run whose process died is carried on by `braid run --resume`.)",
  approve: "Approves a step that waits for it.",
  reject: "Rejects a step that waits for an approval: it fails.",
} as const;

function addControlCommands(runs: Command, does: Does): void {
  for (const action of ["cancel", "pause", "resume"] as const) {
    const control = runCommand(runs, action, controls[action]).action(
      (id: string, options: ControlOptions, self: Command) =>
        does(self, (context) => askRun(context, { action, id, ...options })),
    );
    addExamples(control, [`braid runs ${action} 0198c0de`]);
  }
  for (const action of ["approve", "reject"] as const) {
    const control = runCommand(runs, action, controls[action])
      .argument("<step>", "the step that waits for an approval")
      .option("--note <text>", "kept with the decision")
      .action((id: string, step: string, ...[options, self]: [ControlOptions, Command]) =>
        does(self, (context) => askRun(context, { action, id, step, ...options })),
      );
    addExamples(control, [`braid runs ${action} 0198c0de gate --note "looked at it"`]);
  }
}

async function askRun(context: CommandContext, request: ControlRequest): Promise<number> {
  return (await import("../commands/runs/control.ts")).controlRun(context, request);
}

function addRetryCommand(runs: Command, does: Does): void {
  const description = "Repeats what failed in a run that has ended, in this process, until it ends again.";
  const retry = runCommand(runs, "retry", description)
    .option("--from <step>", "repeat this step and everything after it")
    .addOption(new Option("--only <step>", "repeat this step alone").conflicts(["from"]))
    .option("-q, --quiet", "show no progress; failures are still shown")
    .addOption(
      new Option("--logs <which>", "step logs to show: full, errors or none").choices(["full", "errors", "none"]),
    )
    .option("--env-file <file>", "variables for steps and secrets, as NAME=value lines")
    .option("-d, --detach", "only ask for it; a worker or `braid run --resume` carries it on")
    .action((id: string, options: RetryOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/runs/retry.ts")).retryRun(context, id, options)),
    );
  addExamples(retry, [
    "braid runs retry 0198c0de",
    "braid runs retry 0198c0de --from deploy",
    "braid runs retry 0198c0de --only smoke",
  ]);
}
