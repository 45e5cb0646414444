import type { Command } from "commander";
import type { WorkerCommandOptions } from "../commands/worker/settings.ts";
import { collect, positiveInteger, resources } from "./argument.ts";
import type { Does } from "./does.ts";
import { addExamples } from "./examples.ts";
import { addStoreOption } from "./store-option.ts";

const description =
  "Works on all runs of a store, together with all other workers of it, until it gets SIGTERM or SIGINT. " +
  "A store that is away is waited for; what a worker that dies was running is repeated by another one.";

export function addWorkerCommand(program: Command, does: Does): void {
  const worker = program.command("worker").summary("work on the runs of a store").description(description);
  addStoreOption(worker)
    .option("--queue <name>", "a queue to take steps from; may be repeated (default: default)", collect)
    .option("--concurrency <n>", "most steps at a time in this process", positiveInteger, 10)
    .option("--resources <amounts>", "what it has for steps that ask for resources, such as cpu=8,gpu=1", resources)
    .option("--name <name>", "its name in lists and messages (default: host and process id)")
    .option("--poll-interval <duration>", "longest pause between two looks at the queues (default: 1s)")
    .option("--lease <duration>", "how long after its last sign of life others repeat what it ran (default: 15s)")
    .option("--drain-timeout <duration>", "time for running steps to end after the first signal", "30s")
    .option("--config <file>", "module with step types, workflows in code, services and limits")
    .action((options: WorkerCommandOptions, self: Command) =>
      does(self, async (context) => (await import("../commands/worker/run-worker.ts")).runWorker(context, options)),
    );
  addExamples(
    worker,
    [
      "BRAID_STORE=postgres://braid@db.example/braid braid worker",
      "braid worker --queue default --queue gpu --resources gpu=1 --concurrency 4",
      "braid worker --config worker.ts",
    ],
    "A password belongs into PGPASSWORD, ~/.pgpass or BRAID_STORE: arguments are seen by everybody on the machine.\n" +
      "Programs get PATH, HOME, LANG and TMPDIR of the worker and what their step declares; they run in the directory of\n" +
      "the workflow's file, which has to be there.",
  );
}
