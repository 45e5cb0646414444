import type { Engine } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { loadRunCode } from "../load/run-code.ts";
import { capOf, openRun } from "../store/open-run.ts";
import { chooseStore } from "../store/store-url.ts";
import type { StoreChoice } from "../store/store-url.ts";
import { dryRun } from "./dry-run.ts";
import { followRun } from "./follow-run.ts";
import { prepareRun } from "./prepare-run.ts";
import type { PreparedRun, RunCommandOptions } from "./prepare-run.ts";
import { startDetached } from "./start-detached.ts";
import { commandEnvironment, withWorkingEngine } from "./working-engine.ts";

/** `braid run`: starts a run, or with `--resume` carries one on, and works on it until it ends. */
export async function run(
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
  if (options.dryRun === true) return dryRun(context, prepared, options);
  if (options.detach === true) return await startDetached(context, { choice, prepared, options });
  return await startRun(context, { choice, prepared, options });
}

interface Start {
  readonly choice: StoreChoice;
  readonly prepared: PreparedRun;
  readonly options: RunCommandOptions;
}

async function startRun(context: CommandContext, { choice, prepared, options }: Start): Promise<number> {
  const env = await commandEnvironment(context, options);
  const { workflow, plan, input, overrides, meta } = prepared;
  return await withWorkingEngine({ choice, env, plan }, async (engine, logs) => {
    const { id: runId } = await engine.start(workflow, { input, overrides, meta });
    const concurrency = overrides.maxConcurrent ?? 1;
    const code = await followRun({ context, engine, runId, plan, concurrency, logs, progress: options, shownAfter: 0 });
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
  const { plan, runId, loaded } = await openRun(context, { id: name, ...options }, (found) => Promise.resolve(found));
  const code = await loadRunCode(context.io, loaded.meta, file);
  const env = await commandEnvironment(context, options);
  // Lines for people go on from here; a program that reads JSON gets the whole trace, without a gap.
  const shownAfter = options.json === true ? 0 : loaded.run.traceSeq;
  return await withWorkingEngine({ choice, env, plan }, async (engine, logs) => {
    if (code !== null) await engine.register(code);
    const concurrency = capOf(loaded, plan);
    return await followRun({ context, engine, runId, plan, concurrency, logs, progress: options, shownAfter });
  });
}

const keptMs = 30 * 24 * 3_600_000;
const keptRuns = 1000;

/** The default store belongs to nobody who would look after it, so every run cleans up behind itself. */
async function pruneDefault(engine: Engine, choice: StoreChoice): Promise<void> {
  if (!choice.isDefault) return;
  // The run has ended and been shown: a store that is busy now is cleaned by the next run.
  await engine.store.prune({ olderThanMs: keptMs, keep: keptRuns }).catch(() => []);
}
