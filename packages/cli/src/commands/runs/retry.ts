import type { CommandContext } from "../../command-context.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { loadRunCode } from "../../load/run-code.ts";
import { capOf, findStepIndex, openRun } from "../../store/open-run.ts";
import type { OpenRun } from "../../store/open-run.ts";
import { chooseStore } from "../../store/store-url.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import type { LogChoice } from "../../view/reporter.ts";
import { followRun } from "../follow-run.ts";
import { StopSignals } from "../stop-signals.ts";
import { commandEnvironment, withWorkingEngine } from "../working-engine.ts";

export interface RetryOptions {
  readonly from?: string;
  readonly only?: string;
  readonly envFile?: string;
  readonly store?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly logs?: LogChoice;
  readonly detach?: boolean;
}

/** Repeats what failed in a run that has ended, and works on it until it ends again. */
export async function retryRun(context: CommandContext, id: string, options: RetryOptions): Promise<number> {
  const found = await openRun(context, { id, ...options }, (run) => Promise.resolve(run));
  const { runId, plan, loaded } = found;
  const from = readRetry(found, options);
  if (options.detach === true) {
    await openRun(context, { id: runId, ...options }, async ({ engine }) => await engine.retry(runId, from));
    if (options.json === true)
      writeJsonLine(context.io.stdout, { type: "run.accepted", runId, workflow: plan.workflow });
    else context.io.stdout.write(`${runId}\n`);
    return exitCode.ok;
  }
  const code = await loadRunCode(context.io, loaded.meta, undefined);
  const env = await commandEnvironment(context, options);
  const choice = chooseStore(context.io, options);
  const signals = new StopSignals(context.io);
  return await withWorkingEngine({ choice, env, plans: [plan] }, async (engine, listener) => {
    if (code !== null) await engine.register(code);
    await engine.retry(runId, from);
    const following = { context, engine, runId, plan, concurrency: capOf(loaded, plan), listener, signals };
    return await followRun({ ...following, progress: options, shownAfter: loaded.run.traceSeq });
  });
}

/** What to repeat, by step ids. Refused while there is still something going on. */
function readRetry(
  { runId, plan, loaded }: OpenRun,
  { from, only }: RetryOptions,
): { readonly from?: string; readonly only?: string } {
  const { status } = loaded.run;
  if (status !== "completed" && status !== "failed" && status !== "canceled") {
    const hint = `To carry it on: braid run --resume ${runId}`;
    throw new UsageError(`run \`${runId}\` is ${status}; only a run that has ended can be retried`, hint);
  }
  const idOf = (step: string): string => plan.steps[findStepIndex(plan, step)]?.id ?? step;
  if (from !== undefined) return { from: idOf(from) };
  return only === undefined ? {} : { only: idOf(only) };
}
