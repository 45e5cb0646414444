import type { Engine, LogFilter, LogLine } from "@braid/engine";
import type { Plan } from "@braid/core";
import { stdoutStyle } from "../../command-context.ts";
import type { CommandContext } from "../../command-context.ts";
import { exitCode } from "../../exit-code.ts";
import { findStepIndex, openRun } from "../../store/open-run.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { oneLine } from "../../terminal/sanitize.ts";
import { paint } from "../../terminal/style.ts";
import { logLine } from "../../view/json-lines.ts";
import { logText } from "../../view/log-group.ts";

export interface LogsOptions {
  readonly step?: string;
  readonly tail?: number;
  readonly store?: string;
  readonly json?: boolean;
}

/** Prints what the steps of a run wrote. */
export async function showLogs(context: CommandContext, id: string, options: LogsOptions): Promise<number> {
  const { lines, plan } = await openRun(context, { id, ...options }, async ({ engine, runId, plan: runPlan }) => ({
    plan: runPlan,
    lines: await readLogs(engine, runPlan, { runId, ...options }),
  }));
  const { stdout } = context.io;
  if (options.json === true) {
    for (const line of lines) writeJsonLine(stdout, logLine(line, plan));
    return exitCode.ok;
  }
  const style = stdoutStyle(context);
  for (const line of lines) {
    // One step needs no name before each line, and can be piped on as it was written.
    const name = options.step === undefined ? `${paint(style, "cyan", taskName(line, plan))}  ` : "";
    stdout.write(`${name}${logText(line, style)}\n`);
  }
  return exitCode.ok;
}

async function readLogs(
  engine: Engine,
  plan: Plan,
  query: LogsOptions & { readonly runId: string },
): Promise<readonly LogLine[]> {
  const filter: LogFilter = {
    runId: query.runId,
    ...(query.step === undefined ? {} : { step: findStepIndex(plan, query.step) }),
    ...(query.tail === undefined ? {} : { limit: query.tail, tail: true }),
  };
  return await engine.store.readLogs(filter);
}

function taskName(line: LogLine, plan: Plan): string {
  const step = plan.steps[line.step];
  const id = oneLine(step?.id ?? String(line.step));
  return step?.isMap === true ? `${id}[${line.task}]` : id;
}
