import type { CommandContext } from "../../command-context.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { findStepIndex, openRun } from "../../store/open-run.ts";
import type { OpenRun } from "../../store/open-run.ts";
import { chooseStore } from "../../store/store-url.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import type { LogChoice } from "../../view/reporter.ts";
import { followRun } from "../follow-run.ts";
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
  const { runId, plan, loaded } = await openRun(context, { id, ...options }, async (run) => {
    await askForRetry(run, options);
    return run;
  });
  if (options.detach === true) {
    if (options.json === true)
      writeJsonLine(context.io.stdout, { type: "run.accepted", runId, workflow: plan.workflow });
    else context.io.stdout.write(`${runId}\n`);
    return exitCode.ok;
  }
  const env = await commandEnvironment(context, options);
  const choice = chooseStore(context.io, options);
  const concurrency = loaded.run.maxConcurrent ?? plan.scopes[0]?.maxConcurrent ?? 10;
  return await withWorkingEngine({ choice, env, plan }, async (engine, logs) => {
    return await followRun({
      context,
      engine,
      runId,
      plan,
      concurrency,
      logs,
      progress: options,
      shownAfter: loaded.run.traceSeq,
    });
  });
}

async function askForRetry({ engine, runId, plan, loaded }: OpenRun, { from, only }: RetryOptions): Promise<void> {
  const { status } = loaded.run;
  if (status !== "completed" && status !== "failed" && status !== "canceled") {
    throw new UsageError(
      `run \`${runId}\` is ${status}; only a run that has ended can be retried`,
      `To carry it on: braid run --resume ${runId}`,
    );
  }
  const idOf = (step: string): string => plan.steps[findStepIndex(plan, step)]?.id ?? step;
  await engine.retry(runId, {
    ...(from === undefined ? {} : { from: idOf(from) }),
    ...(only === undefined ? {} : { only: idOf(only) }),
  });
}
