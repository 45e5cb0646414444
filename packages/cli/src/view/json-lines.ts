import { isoTime } from "@braid/core";
import type { Plan } from "@braid/core";
import type { LogLine, RunResult } from "@braid/engine";

/** The last line of `--json`: how the run ended, with every step. */
export function summaryLine(result: RunResult): object {
  const { runId, epoch, status, toleratedFailures, error, failures, output, durationMs, steps } = result;
  return { type: "run.summary", runId, epoch, status, toleratedFailures, error, failures, output, durationMs, steps };
}

/** One line of a step's log. It has no `seq`: logs are no part of the trace. */
export function logLine(line: LogLine, plan: Plan): object {
  return {
    runId: line.runId,
    at: isoTime(line.at),
    type: "log",
    step: plan.steps[line.step]?.id ?? null,
    task: Math.max(0, line.task),
    attempt: line.attempt,
    data: { stream: line.stream, text: line.text },
  };
}
