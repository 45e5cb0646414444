import type { TraceEvent, TraceType } from "@braid/core";
import { expect, test } from "vitest";
import { checkTrace } from "./check-trace.ts";

const trace = (...types: readonly TraceType[]): readonly TraceEvent[] =>
  types.map((type, index) => ({
    seq: index + 1,
    at: index,
    type,
    step: type.startsWith("run") ? -1 : 0,
    task: 0,
    attempt: 1,
    data: null,
  }));

const good: readonly TraceType[] = [
  "run.queued",
  "run.started",
  "step.ready",
  "task.started",
  "step.started",
  "task.completed",
  "step.completed",
  "run.completed",
];

test("a trace of one step is fine, also after a retry", () => {
  checkTrace(trace(...good), "r");
  checkTrace(trace(...good, "run.started", "step.ready", "task.started", "task.completed", "run.completed"), "r");
});

test.each<readonly [string, readonly TraceEvent[]]>([
  ["expected number 2", trace(...good).toSpliced(1, 1)],
  ["a second result", trace(...good.slice(0, 6), "task.completed", "run.completed")],
  ["the step ended twice", trace(...good.slice(0, 7), "step.failed", "run.failed")],
  ["the attempt started twice", trace(...good.slice(0, 4), "task.started", "run.completed")],
  ["the run was over", trace(...good, "step.ready")],
  ["the trace has no end", trace(...good.slice(0, 7))],
  ["time goes back", trace(...good).with(5, { ...trace(...good)[5]!, at: 0 })],
])("a trace is refused: %s", (problem, events) => {
  expect(() => checkTrace(events, "r")).toThrow(problem);
});
