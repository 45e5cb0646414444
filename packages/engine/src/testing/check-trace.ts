import type { TraceEvent } from "@braid/core";

/**
 * Checks a run's trace by itself: numbers without a gap, time that never goes back, of each task at most one accepted
 * result and of each step one end in every epoch, each attempt started at most once, and nothing after the run's end
 * but a retry.
 */
export function checkTrace(trace: readonly TraceEvent[], runId: string): void {
  const fail = (event: TraceEvent, problem: string): never => {
    throw new Error(
      `run ${runId}: event ${event.seq} (${event.type}, step ${event.step}, task ${event.task}): ${problem}`,
    );
  };
  const seen = new Set<string>();
  const once = (event: TraceEvent, what: string, problem: string): void => {
    if (seen.has(what)) fail(event, problem);
    seen.add(what);
  };
  let epoch = 0;
  let isOver = false;
  let at = 0;
  for (const [index, event] of trace.entries()) {
    const { type, step, task, attempt } = event;
    if (event.seq !== index + 1) fail(event, `expected number ${index + 1}`);
    if (event.at < at) fail(event, "time goes back");
    at = event.at;
    if (type === "run.started") {
      epoch += 1;
      isOver = false;
    } else if (isOver) fail(event, "the run was over");
    if (type === "run.completed" || type === "run.failed" || type === "run.canceled") isOver = true;
    const name = `${epoch}/${step}/${task}`;
    if (type === "task.completed") once(event, `result ${name}`, "a second result was accepted");
    if (type === "task.started") once(event, `start ${name}/${attempt}`, "the attempt started twice");
    if (type === "step.started") once(event, `step start ${name}`, "the step started twice");
    if (type === "step.ready") once(event, `step ready ${name}`, "the step was released twice");
    const isEnd =
      type === "step.completed" || type === "step.failed" || type === "step.canceled" || type === "step.skipped";
    if (isEnd) once(event, `step end ${name}`, "the step ended twice");
  }
  if (!isOver) throw new Error(`run ${runId}: the trace has no end`);
}
