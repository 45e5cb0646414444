import type { CommandContext } from "../command-context.ts";
import { exitCode } from "../exit-code.ts";
import { withEngine } from "../store/open-engine.ts";
import type { StoreChoice } from "../store/store-url.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { startPrepared } from "./prepare-run.ts";
import type { PreparedRun } from "./prepare-run.ts";

export interface DetachedStart {
  readonly choice: StoreChoice;
  readonly prepared: PreparedRun;
  readonly options: { readonly json?: boolean; readonly quiet?: boolean };
}

/** Accepts a run and leaves it to others: the store has it when this returns. */
export async function startDetached({ io }: CommandContext, start: DetachedStart): Promise<number> {
  const { choice, prepared, options } = start;
  const runId = await withEngine(choice, {}, async (engine) => await startPrepared(engine, prepared));
  if (options.json === true) {
    writeJsonLine(io.stdout, { type: "run.accepted", runId, workflow: prepared.plan.workflow });
    return exitCode.ok;
  }
  io.stdout.write(`${runId}\n`);
  if (options.quiet !== true) io.stderr.write(`accepted; ${nextWords(start, runId)}\n`);
  return exitCode.ok;
}

/** Nobody looks after the default store of a directory; others may have workers, which need the code of functions. */
function nextWords({ choice, prepared }: DetachedStart, runId: string): string {
  const byHand = `braid run --resume ${runId}`;
  if (choice.isDefault) return `carry it on with: ${byHand}`;
  const hasFunctions = prepared.plan.steps.some(({ host }) => host.handler.includes("/"));
  const which = hasFunctions ? "a worker that has its functions (--config)" : "a worker";
  return `${which} of the store carries it on, or: ${byHand}`;
}
