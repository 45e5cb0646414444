import type { Engine } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { loadRunCode } from "../load/run-code.ts";
import { capOf, openRun } from "../store/open-run.ts";
import type { OpenRun } from "../store/open-run.ts";
import { countOf } from "../terminal/format.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { showsProgress } from "../view/choose-reporter.ts";
import { chooseStore } from "../store/store-url.ts";
import type { StoreChoice } from "../store/store-url.ts";
import { followRun } from "./follow-run.ts";
import { prepareRun, startPrepared } from "./prepare-run.ts";
import type { PreparedRun, RunCommandOptions } from "./prepare-run.ts";
import { StopSignals } from "./stop-signals.ts";
import { commandEnvironment, withWorkingEngine } from "./working-engine.ts";

/** `braid run`: starts a run, or with `--resume` carries one on, and works on it until it ends. */
export async function runWorkflow(
  context: CommandContext,
  target: string | undefined,
  options: RunCommandOptions,
): Promise<number> {
  if (options.resume !== undefined) return await resumeRun(context, { name: options.resume, file: target, options });
  if (target === undefined) {
    throw new UsageError("run needs a workflow file", "braid run workflow.yaml; `braid init` writes a first one.");
  }
  const choice = chooseStore(context.io, options);
  const prepared = await prepareRun(context, { target, choice, options });
  if (prepared === null) return exitCode.usage;
  if (options.dryRun === true) return (await import("./dry-run.ts")).dryRun(context, prepared, options);
  const start = { choice, prepared, options };
  if (options.detach === true) return await (await import("./start-detached.ts")).startDetached(context, start);
  return await startRun(context, start);
}

interface Start {
  readonly choice: StoreChoice;
  readonly prepared: PreparedRun;
  readonly options: RunCommandOptions;
}

async function startRun(context: CommandContext, { choice, prepared, options }: Start): Promise<number> {
  const env = await commandEnvironment(context, options);
  const signals = new StopSignals(context.io);
  const { plan, children, overrides } = prepared;
  const plans = [plan, ...children.map((child) => child.plan)];
  return await withWorkingEngine({ choice, env, plans }, async (engine, listener) => {
    const runId = await startPrepared(engine, prepared);
    const concurrency = overrides.maxConcurrent ?? 1;
    const code = await followRun({
      context,
      engine,
      runId,
      plan,
      concurrency,
      listener,
      signals,
      progress: options,
      shownAfter: 0,
    });
    await pruneDefault(engine, choice);
    return code;
  });
}

interface Resume {
  readonly name: string;
  /** Where the functions of the run's steps are, if not where they were. */
  readonly file: string | undefined;
  readonly options: RunCommandOptions;
}

/** Attaches to a run, and takes it over if the process that worked on it has died. */
async function resumeRun(context: CommandContext, { name, file, options }: Resume): Promise<number> {
  const choice = chooseStore(context.io, options);
  const found = await openRun(context, { id: name, ...options }, (run) => Promise.resolve(run));
  const { plan, runId, loaded } = found;
  const code = await loadRunCode(context.io, loaded.meta, file);
  const env = await commandEnvironment(context, options);
  const signals = new StopSignals(context.io);
  // Lines for people go on from here; a program that reads JSON gets the whole trace, without a gap.
  const shownAfter = options.json === true ? 0 : loaded.run.traceSeq;
  return await withWorkingEngine({ choice, env, plans: [plan] }, async (engine, listener) => {
    if (code !== null) await engine.register(code);
    sayWhereItStands(context, found, options);
    const concurrency = capOf(loaded, plan);
    const following = { context, engine, runId, plan, concurrency, listener, signals, shownAfter };
    return await followRun({ ...following, progress: options });
  });
}

/** A person who carries on a run is told how far it had come. */
function sayWhereItStands(context: CommandContext, { loaded, plan, runId }: OpenRun, options: RunCommandOptions): void {
  const { run } = loaded;
  if (!showsProgress(context, options) || run.finishedAt !== null) return;
  const settled = run.completedSteps + run.failedSteps + run.skippedSteps + run.canceledSteps;
  const steps = plan.steps.filter((step) => !step.hidden).length;
  const pause = run.status === "paused" ? `; it is paused, and \`braid runs resume ${runId}\` ends that` : "";
  context.io.stderr.write(
    `carrying on run ${runId} of ${oneLine(loaded.workflow)}: ${settled} of ${countOf(steps, "step")} settled${pause}\n`,
  );
}

const keptMs = 30 * 24 * 3_600_000;
const keptRuns = 1000;

/** The default store belongs to nobody who would look after it, so every run cleans up behind itself. */
async function pruneDefault(engine: Engine, choice: StoreChoice): Promise<void> {
  if (!choice.isDefault) return;
  // The run has ended and been shown: a store that is busy now is cleaned by the next run.
  await engine.store.prune({ olderThanMs: keptMs, keep: keptRuns }).catch(() => []);
}
