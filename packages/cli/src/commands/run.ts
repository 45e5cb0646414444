import type { Definition, JsonObject, Plan, RunOverrides } from "@braid/core";
import type { Engine } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { readDuration } from "../input/duration.ts";
import { checkDeclared, readInputs } from "../input/input-values.ts";
import { readEnvFile, readObjectFile } from "../input/read-data-file.ts";
import { runOverrides } from "../input/run-overrides.ts";
import { loadPlan } from "../load/load-plan.ts";
import { isFileArgument } from "../load/workflow-file.ts";
import type { WorkflowModule } from "../load/workflow-module.ts";
import { withEngine } from "../store/open-engine.ts";
import { loadRun } from "../store/open-run.ts";
import { findRunId } from "../store/find-run.ts";
import { chooseStore, storeExists } from "../store/store-url.ts";
import type { StoreChoice } from "../store/store-url.ts";
import type { LogChoice } from "../view/reporter.ts";
import { dryRun } from "./dry-run.ts";
import { followRun } from "./follow-run.ts";
import { startDetached } from "./start-detached.ts";
import { withWorkingEngine } from "./working-engine.ts";

export interface RunCommandOptions {
  readonly input?: readonly string[];
  readonly inputFile?: string;
  readonly envFile?: string;
  readonly maxConcurrent?: number;
  readonly timeout?: string;
  readonly failFast?: boolean;
  readonly store?: string;
  readonly ephemeral?: boolean;
  readonly resume?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly logs?: LogChoice;
  readonly detach?: boolean;
}

/** A run that is about to start: everything about it has been read and checked. */
export interface PreparedRun {
  readonly workflow: string | Definition | WorkflowModule;
  readonly plan: Plan;
  readonly input: JsonObject;
  readonly overrides: RunOverrides;
  readonly meta: JsonObject;
}

/** `braid run`: starts a run, or with `--resume` carries one on, and works on it until it ends. */
export async function run(context: CommandContext, target: string | undefined, options: RunCommandOptions): Promise<number> {
  if (options.resume !== undefined) {
    if (target !== undefined) throw new UsageError("--resume carries on a run by its id; it takes no file", `braid run --resume ${options.resume}`);
    return await resumeRun(context, options.resume, options);
  }
  if (target === undefined) throw new UsageError("run needs a workflow file", "braid run workflow.yaml; `braid init` writes a first one.");
  const choice = chooseStore(context.io, options);
  const prepared = await prepare(context, { target, choice, options });
  if (prepared === null) return exitCode.usage;
  if (options.dryRun === true) return dryRun(context, prepared, options);
  if (options.detach === true) return await startDetached(context, choice, prepared, options);
  const env = await environment(context, options);
  const code = await withWorkingEngine({ context, choice, env, plan: prepared.plan }, async (engine, logs) => {
    const handle = await engine.start(prepared.workflow, { input: prepared.input, overrides: prepared.overrides, meta: prepared.meta });
    const concurrency = prepared.overrides.maxConcurrent ?? 1;
    const following = { context, engine, runId: handle.id, plan: prepared.plan, concurrency, logs, progress: options, shownAfter: 0 };
    const ended = await followRun(following);
    await pruneDefault(engine, choice);
    return ended;
  });
  return code;
}

interface Preparation {
  readonly target: string;
  readonly choice: StoreChoice;
  readonly options: RunCommandOptions;
}

/** Reads the workflow and its input. Null when the definition is not valid, which has been reported. */
async function prepare(context: CommandContext, { target, choice, options }: Preparation): Promise<PreparedRun | null> {
  const workflow = isFileArgument(context.io, target) ? await fromFile(context, target, options) : await fromStore(target, choice);
  if (workflow === null) return null;
  const { plan } = workflow;
  const schema = plan.host.inputs;
  const fromInputFile = options.inputFile === undefined ? {} : await readObjectFile(context.io, "--input-file", options.inputFile);
  checkDeclared(Object.keys(fromInputFile), schema);
  const input = { ...fromInputFile, ...readInputs(options.input ?? [], schema) };
  const flags = {
    ...(options.maxConcurrent === undefined ? {} : { maxConcurrent: options.maxConcurrent }),
    ...(options.failFast === undefined ? {} : { failFast: options.failFast }),
    ...(options.timeout === undefined ? {} : { timeoutMs: readDuration("--timeout", options.timeout) }),
  };
  const overrides = runOverrides(context.io.env, flags, plan.scopes[0]?.maxConcurrent ?? undefined);
  return { ...workflow, input, overrides };
}

type FoundWorkflow = Pick<PreparedRun, "workflow" | "plan" | "meta">;

async function fromFile(context: CommandContext, file: string, options: RunCommandOptions): Promise<FoundWorkflow | null> {
  const loaded = await loadPlan(context, file, options);
  if (loaded === null || loaded.definition === null) return null;
  const { definition, module, plan, directory } = loaded;
  return { workflow: module ?? definition, plan, meta: { directory, file } };
}

async function fromStore(name: string, choice: StoreChoice): Promise<FoundWorkflow> {
  const nothing = new UsageError(`there is no file \`${name}\`, and no stored workflow of that name`, "braid run workflow.yaml");
  if (!storeExists(choice)) throw nothing;
  const stored = await withEngine(choice, {}, async (engine) => await engine.store.getWorkflow(name));
  if (stored === null) throw nothing;
  return { workflow: name, plan: stored.plan, meta: {} };
}

/** Attaches to a run, and takes it over if the process that worked on it has died. */
async function resumeRun(context: CommandContext, name: string, options: RunCommandOptions): Promise<number> {
  const choice = chooseStore(context.io, options);
  if (!storeExists(choice)) throw new UsageError(`there is no run \`${name}\`: this directory has no store yet`, "Name the store with --store or BRAID_STORE.");
  const found = await withEngine(choice, {}, async (engine) => await loadRun(engine, await findRunId(engine, name)));
  const { plan, runId, loaded } = found;
  const env = await environment(context, options);
  const concurrency = loaded.run.maxConcurrent ?? plan.scopes[0]?.maxConcurrent ?? 10;
  // Lines for people go on from here; a program that reads JSON gets the whole trace, without a gap.
  const shownAfter = options.json === true ? 0 : loaded.run.traceSeq;
  return await withWorkingEngine({ context, choice, env, plan }, async (engine, logs) => {
    return await followRun({ context, engine, runId, plan, concurrency, logs, progress: options, shownAfter });
  });
}

/** The environment of the command, with the file's variables over it. */
export async function environment({ io }: CommandContext, options: { readonly envFile?: string }): Promise<Readonly<Record<string, string | undefined>>> {
  return options.envFile === undefined ? io.env : { ...io.env, ...(await readEnvFile(io, options.envFile)) };
}

const keptMs = 30 * 24 * 3_600_000;
const keptRuns = 1000;

/** The default store belongs to nobody who would look after it, so every run cleans up behind itself. */
async function pruneDefault(engine: Engine, choice: StoreChoice): Promise<void> {
  if (!choice.isDefault) return;
  // The run has ended and been shown: a store that is busy now is cleaned by the next run.
  await engine.store.prune({ olderThanMs: keptMs, keep: keptRuns }).catch(() => []);
}
