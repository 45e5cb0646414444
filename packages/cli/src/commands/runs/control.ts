import type { Engine } from "@braid/engine";
import type { CommandContext } from "../../command-context.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { findStepIndex, openRun } from "../../store/open-run.ts";
import type { OpenRun } from "../../store/open-run.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { oneLine } from "../../terminal/sanitize.ts";

export type ControlAction = "cancel" | "pause" | "resume" | "approve" | "reject";

export interface ControlOptions {
  readonly note?: string;
  readonly store?: string;
  readonly json?: boolean;
}

export interface ControlRequest extends ControlOptions {
  readonly action: ControlAction;
  readonly id: string;
  /** The step of an approval. */
  readonly step?: string;
}

/** Asks something of a run from any process: the store carries it to whoever works on the run. */
export async function controlRun(context: CommandContext, request: ControlRequest): Promise<number> {
  return await openRun(context, request, async (run) => {
    checkAsked(run, request);
    await ask(run.engine, run, request);
    const after = (await run.engine.store.load(run.runId))?.run.status ?? run.loaded.run.status;
    if (request.json === true) {
      const step = request.step === undefined ? {} : { step: request.step };
      writeJsonLine(context.io.stdout, {
        type: "run.control",
        action: request.action,
        runId: run.runId,
        ...step,
        status: after,
      });
    } else {
      context.io.stdout.write(`${answer(run, request, after)}\n`);
    }
    return exitCode.ok;
  });
}

/** What can never have an effect is refused, so that a script does not take silence for success. */
function checkAsked({ loaded, runId }: OpenRun, { action }: ControlRequest): void {
  const { status } = loaded.run;
  const isOver = status === "completed" || status === "failed" || status === "canceled";
  if (isOver)
    throw new UsageError(
      `run \`${runId}\` is over (${status}); it cannot be asked to ${action}`,
      hintWhenOver(action, runId),
    );
  if (action === "resume" && status !== "paused") {
    throw new UsageError(
      `run \`${runId}\` is ${status}, not paused`,
      `To carry on a run whose process has died: braid run --resume ${runId}`,
    );
  }
}

function hintWhenOver(action: ControlAction, runId: string): string | undefined {
  return action === "resume" ? `To repeat what failed: braid runs retry ${runId}` : undefined;
}

async function ask(engine: Engine, { runId, plan }: OpenRun, { action, step, note }: ControlRequest): Promise<void> {
  if (action === "cancel" || action === "pause" || action === "resume") {
    await engine[action](runId);
    return;
  }
  const id = plan.steps[findStepIndex(plan, step ?? "")]?.id ?? "";
  await engine[action](runId, id, note === undefined ? undefined : { note });
}

function answer({ runId, loaded }: OpenRun, { action, step }: ControlRequest, status: string): string {
  switch (action) {
    case "cancel":
      return loaded.run.cancelCount > 0
        ? `canceled again: ${runId}, \`finally\` is stopped too`
        : `cancel requested: ${runId} (now ${status})`;
    case "pause":
      return `paused: ${runId}; running steps go on, nothing new starts`;
    case "resume":
      return `resumed: ${runId}`;
    case "approve":
    case "reject":
      return `${action === "approve" ? "approved" : "rejected"}: step ${oneLine(step ?? "")} of ${runId}`;
    default:
      return action satisfies never;
  }
}
