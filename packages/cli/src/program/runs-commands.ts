import { Option } from "commander";
import type { Command } from "commander";
import type { EventsOptions } from "../commands/runs/events.ts";
import type { ListOptions } from "../commands/runs/list.ts";
import type { LogsOptions } from "../commands/runs/logs.ts";
import type { RetryOptions } from "../commands/runs/retry.ts";
import type { ShowOptions } from "../commands/runs/show.ts";
import type { ControlAction, ControlOptions } from "../commands/runs/control.ts";
import type { Does } from "./does.ts";
import { notNegativeInteger, positiveInteger, runId } from "./argument.ts";
import { addStoreOption } from "./store-option.ts";

const idHelp = "run id, or enough of its beginning or end";

/** `braid runs …`: what a store knows, and what can be asked of a run from any process. */
export function addRunsCommands(program: Command, does: Does): void {
  const runs = program
    .command("runs")
    .summary("list, show and steer runs")
    .description("Lists, shows and steers the runs of a store.");
  addReadingCommands(runs, does);
  addControlCommands(runs, does);
  addRetryCommand(runs, does);
  runs.addHelpText(
    "after",
    "\nExamples:\n  braid runs list --status failed\n  braid runs show 0198c0de\n  braid runs logs 0198c0de --step build --tail 50\n  braid runs events 0198c0de --follow --json\n  braid runs retry 0198c0de --from deploy",
  );
}

function addReadingCommands(runs: Command, does: Does): void {
  store(runs.command("list").description("Lists runs, newest first."))
    .option("--workflow <name>", "only runs of this workflow")
    .option("--status <status...>", "only runs with one of these statuses")
    .option("-n, --limit <n>", "most runs to list", positiveInteger, 20)
    .action((options: ListOptions, command: Command) =>
      does(command, async (context) => (await import("../commands/runs/list.ts")).listRuns(context, options)),
    );
  store(
    runs
      .command("show")
      .description("Shows a run: its steps, why they wait, and its error.")
      .argument("<id>", idHelp, runId),
  ).action((id: string, options: ShowOptions, command: Command) =>
    does(command, async (context) => (await import("../commands/runs/show.ts")).showRun(context, id, options)),
  );
  store(runs.command("logs").description("Prints what the steps of a run wrote.").argument("<id>", idHelp, runId))
    .option("--step <step>", "only this step")
    .option("--tail <n>", "only the last lines", positiveInteger)
    .action((id: string, options: LogsOptions, command: Command) =>
      does(command, async (context) => (await import("../commands/runs/logs.ts")).showLogs(context, id, options)),
    );
  store(runs.command("events").description("Prints the trace of a run.").argument("<id>", idHelp, runId))
    .option("-f, --follow", "go on until the run has ended")
    .option("--after <seq>", "only events after this number", notNegativeInteger, 0)
    .action((id: string, options: EventsOptions, command: Command) =>
      does(command, async (context) => (await import("../commands/runs/events.ts")).showEvents(context, id, options)),
    );
}

function addControlCommands(runs: Command, does: Does): void {
  const control = (action: ControlAction, description: string): Command =>
    store(runs.command(action).description(description).argument("<id>", idHelp, runId));
  const act = (action: ControlAction) => (id: string, options: ControlOptions, command: Command) =>
    does(command, async (context) =>
      (await import("../commands/runs/control.ts")).controlRun(context, { action, id, ...options }),
    );
  control(
    "cancel",
    "Cancels a run: running steps are stopped, and only `finally` still starts. A second cancel stops that too.",
  ).action(act("cancel"));
  control("pause", "Pauses a run: running steps go on, nothing new starts.").action(act("pause"));
  control("resume", "Ends a pause. (A run whose process died is carried on by `braid run --resume`.)").action(
    act("resume"),
  );
  const decide = (action: "approve" | "reject", description: string): void => {
    control(action, description)
      .argument("<step>", "the step that waits for an approval")
      .option("--note <text>", "kept with the decision")
      .action((id: string, step: string, ...[options, command]: [ControlOptions, Command]) =>
        does(command, async (context) =>
          (await import("../commands/runs/control.ts")).controlRun(context, { action, id, step, ...options }),
        ),
      );
  };
  decide("approve", "Approves a step that waits for it.");
  decide("reject", "Rejects a step that waits for an approval: it fails.");
}

function addRetryCommand(runs: Command, does: Does): void {
  store(
    runs
      .command("retry")
      .description("Repeats what failed in a run that has ended, in this process, until it ends again.")
      .argument("<id>", idHelp, runId),
  )
    .option("--from <step>", "repeat this step and everything after it")
    .addOption(new Option("--only <step>", "repeat this step alone").conflicts(["from"]))
    .option("-q, --quiet", "show no progress; failures are still shown")
    .addOption(
      new Option("--logs <which>", "step logs to show: full, errors or none").choices(["full", "errors", "none"]),
    )
    .option("--env-file <file>", "variables for steps and secrets, as NAME=value lines")
    .option("-d, --detach", "only ask for it; a worker or `braid run --resume` carries it on")
    .action((id: string, options: RetryOptions, command: Command) =>
      does(command, async (context) => (await import("../commands/runs/retry.ts")).retryRun(context, id, options)),
    );
}

function store(command: Command): Command {
  return addStoreOption(command).option("--json", "JSON on stdout, one object a line");
}
