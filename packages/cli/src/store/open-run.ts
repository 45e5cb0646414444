import { nearestName } from "@braid/core";
import type { Plan } from "@braid/core";
import type { Engine, LoadedRun } from "@braid/engine";
import type { CommandContext } from "../command-context.ts";
import { CliError, UsageError } from "../cli-error.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { findRunId } from "./find-run.ts";
import { withStore } from "./open-engine.ts";
import type { StoreOptions } from "./store-url.ts";

/** A run of a store, with the plan it runs by. */
export interface OpenRun {
  readonly engine: Engine;
  readonly runId: string;
  readonly loaded: LoadedRun;
  readonly plan: Plan;
}

/** Which run a command means, and where it is. */
export interface RunName extends StoreOptions {
  readonly id: string;
}

/** Opens the store, finds the run that was meant, and hands both to `use`. */
export async function openRun<Result>(
  context: CommandContext,
  name: RunName,
  use: (run: OpenRun) => Promise<Result>,
): Promise<Result> {
  return await withStore(context, name, async (engine) => {
    if (engine === null) {
      const hint = "Name the store with --store or BRAID_STORE.";
      throw new UsageError(`there is no run \`${name.id}\`: this directory has no store yet`, hint);
    }
    return await use(await loadRun(engine, await findRunId(engine, name.id)));
  });
}

async function loadRun(engine: Engine, runId: string): Promise<OpenRun> {
  const loaded = await engine.store.load(runId);
  if (loaded === null)
    throw new UsageError(`there is no run \`${runId}\` in this store`, "See them with: braid runs list");
  const stored = await engine.store.getWorkflow(loaded.workflow, loaded.workflowVersion);
  if (stored === null)
    throw new CliError(`the store has lost version ${loaded.workflowVersion} of workflow \`${loaded.workflow}\``);
  return { engine, runId, loaded, plan: stored.plan };
}

/** Most tasks at a time in a run: what it was started with, else what its file says, else the default. */
export function capOf(loaded: LoadedRun, plan: Plan): number {
  return loaded.run.maxConcurrent ?? plan.scopes[0]?.maxConcurrent ?? 10;
}

/** Index of a step that an option names; the nearest name is offered where there is none. */
export function findStepIndex(plan: Plan, id: string): number {
  const steps = plan.steps.filter((step) => !step.hidden);
  const step = steps.find((each) => each.id === id) ?? steps.find((each) => each.name === id);
  if (step !== undefined) return step.index;
  const nearest = nearestName(
    id,
    steps.map((each) => each.id),
  );
  throw new UsageError(
    `the workflow has no step \`${oneLine(id)}\``,
    nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`,
  );
}
