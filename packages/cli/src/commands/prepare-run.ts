import { resolve } from "node:path";
import type { JsonObject, Plan, RunOverrides } from "@braid/core";
import type { Engine, WorkflowSource } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { readDuration } from "../input/duration.ts";
import { checkDeclared, readInputs } from "../input/input-values.ts";
import { readObjectFile } from "../input/read-data-file.ts";
import { runOverrides } from "../input/run-overrides.ts";
import { loadChildren } from "../load/child-workflows.ts";
import { loadPlan } from "../load/load-plan.ts";
import type { ValidWorkflow } from "../load/load-plan.ts";
import { isFileArgument } from "../load/workflow-file.ts";
import { withEngine } from "../store/open-engine.ts";
import { storeExists } from "../store/store-url.ts";
import type { StoreChoice } from "../store/store-url.ts";
import type { LogChoice } from "../view/reporter.ts";

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
  readonly workflow: WorkflowSource;
  readonly plan: Plan;
  /** Workflows that its steps run, to be registered before it starts. */
  readonly children: readonly ValidWorkflow[];
  readonly input: JsonObject;
  readonly overrides: RunOverrides;
  readonly meta: JsonObject;
}

export interface Preparation {
  readonly target: string;
  readonly choice: StoreChoice;
  readonly options: RunCommandOptions;
}

/** Reads the workflow and its input. Null when the definition is not valid, which has been reported. */
export async function prepareRun(
  context: CommandContext,
  { target, choice, options }: Preparation,
): Promise<PreparedRun | null> {
  const workflow = isFileArgument(context.io, target)
    ? await fromFile(context, target, options)
    : await fromStore(context, target, choice);
  if (workflow === null) return null;
  const { plan } = workflow;
  const schema = plan.host.inputs;
  const fromInputFile =
    options.inputFile === undefined ? {} : await readObjectFile(context.io, "--input-file", options.inputFile);
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

/** Hands the run to the engine, which has it when this returns; answers its id. */
export async function startPrepared(engine: Engine, prepared: PreparedRun): Promise<string> {
  const { workflow, children, input, overrides, meta } = prepared;
  for (const child of children) await engine.register(child.code ?? child.definition);
  return (await engine.start(workflow, { input, overrides, meta })).id;
}

type FoundWorkflow = Pick<PreparedRun, "workflow" | "plan" | "children" | "meta">;

async function fromFile(
  context: CommandContext,
  file: string,
  options: RunCommandOptions,
): Promise<FoundWorkflow | null> {
  const loaded = await loadPlan(context, file, options);
  if (loaded === null) return null;
  const children = await loadChildren(context, loaded, options);
  if (children === null) return null;
  const { definition, code, plan, directory } = loaded;
  return {
    workflow: code ?? definition,
    plan,
    children,
    meta: { directory, ...(file === "-" ? {} : { file: resolve(context.io.cwd, file) }) },
  };
}

async function fromStore({ io }: CommandContext, name: string, choice: StoreChoice): Promise<FoundWorkflow> {
  const nothing = new UsageError(
    `there is no file \`${name}\`, and no stored workflow of that name`,
    "braid run workflow.yaml",
  );
  if (!storeExists(choice)) throw nothing;
  const stored = await withEngine(choice, {}, async (engine) => await engine.store.getWorkflow(name));
  if (stored === null) throw nothing;
  return { workflow: name, plan: stored.plan, children: [], meta: { directory: io.cwd } };
}
