import type { Plan } from "@braid/core";
import type { Engine, RunResult } from "@braid/engine";
import type { Style } from "../terminal/style.ts";
import { rootFailures } from "../view/failures.ts";
import { logText } from "../view/log-group.ts";
import { measure } from "../view/measure.ts";
import type { RunView } from "../view/run-view.ts";
import { maxListed, renderSummary } from "../view/summary.ts";

export interface ResultInput {
  readonly engine: Engine;
  readonly plan: Plan;
  readonly result: RunResult;
  readonly view: RunView;
  readonly style: Style;
}

const tailLines = 10;

/** The summary of a run that has ended, with the last log lines of each root failure from the store. */
export async function describeResult({ engine, plan, result, view, style }: ResultInput): Promise<string> {
  const tails = new Map<string, readonly string[]>();
  for (const id of rootFailures(plan, result).slice(0, maxListed)) {
    const step = plan.steps.find((each) => each.id === id);
    if (step === undefined) continue;
    const item = result.failures.find((failure) => failure.step === id)?.task ?? null;
    const filter = {
      runId: result.runId,
      step: step.index,
      limit: tailLines,
      tail: true,
      ...(item === null ? {} : { task: item }),
    };
    const lines = await engine.store.readLogs(filter);
    tails.set(
      id,
      lines.map((line) => logText(line, style)),
    );
  }
  return `\n${renderSummary({ plan, result, tails, style, ...measure(plan, view) })}`;
}
