import { expect, test } from "vitest";
import { planOf, traceOf, viewAt } from "../testing/trace.ts";
import { applyTrace } from "./apply-trace.ts";
import { countSteps, createRunView } from "./run-view.ts";

const plan = planOf(`
name: retried
inputs: { items: { type: array } }
steps:
  - { id: a, run: "true", dependsOn: [] }
  - { id: each, run: "true", dependsOn: [a], forEach: { items: "\${{ inputs.items }}", onFailure: continue } }
  - { id: b, run: "true", dependsOn: [each] }
`);

test("follows a run to its end", () => {
  const view = viewAt(plan, traceOf(plan, { each: { items: 4 } }));
  expect(view).toMatchObject({ status: "completed", startedAt: 0, epoch: 1 });
  expect(countSteps(view.nodes)).toMatchObject({ total: 3, settled: 3, completed: 3 });
  expect(view.byId.get("each")).toMatchObject({ items: { completed: 4, failed: 0 }, workMs: 4000 });
});

test("counts the items of a map that are running, and those that failed for good", () => {
  const trace = traceOf(plan, { each: { items: 4, fails: true } });
  expect(viewAt(plan, trace, 1500).byId.get("each")?.running.size).toBe(4);
  expect(viewAt(plan, trace).byId.get("each")?.items).toMatchObject({ completed: 0, failed: 4 });
});

test("does not count an item as failed that gets another attempt", () => {
  const retrying = planOf(`
name: retrying
inputs: { items: { type: array } }
steps: [{ id: each, run: "true", forEach: "\${{ inputs.items }}", retry: { maxAttempts: 2, delay: 1s, jitter: 0 } }]
`);
  const view = viewAt(retrying, traceOf(retrying, { each: { items: 3, failures: 1 } }));
  expect(view.byId.get("each")?.items).toMatchObject({ completed: 3, failed: 0 });
});

test("opens a run again that is retried", () => {
  const view = viewAt(plan, traceOf(plan, { each: { items: 2, fails: true } }));
  expect(view).toMatchObject({ status: "failed", epoch: 1 });
  const at = "1970-01-01T00:01:00.000Z";
  const event = (seq: number, type: string, step: string | null): void => {
    applyTrace(view, { seq, runId: "run-1", at, type, step, task: null, attempt: null, data: {} });
  };
  event(50, "run.started", null);
  event(51, "step.ready", "each");
  expect(view).toMatchObject({ status: "running", epoch: 2, finishedAt: null, startedAt: 60_000 });
  expect(view.byId.get("each")).toMatchObject({ status: "ready", error: null, finishedAt: null, items: { failed: 0 } });
});

test("takes events of a newer version for what they are: nothing", () => {
  const view = createRunView(plan);
  const before = structuredClone(view.nodes);
  applyTrace(view, { seq: 1, type: "step.levitated", step: "a" });
  applyTrace(view, { seq: 2, type: "step.completed", step: "nobody" });
  applyTrace(view, {});
  expect(view.nodes).toEqual(before);
});
