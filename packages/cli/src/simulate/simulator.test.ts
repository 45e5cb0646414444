import { checkInvariants } from "@braid/core";
import { expect, test } from "vitest";
import { planOf } from "../testing/trace.ts";
import type { Scenario, StepScenario } from "./scenario.ts";
import { simulate } from "./simulator.ts";

function scenario(steps: Readonly<Record<string, StepScenario>>): Scenario {
  return { seed: 1, steps: new Map(Object.entries(steps)) };
}

const diamond = planOf(`
name: diamond
steps:
  - { id: a, run: "true", dependsOn: [] }
  - { id: b, run: "true", dependsOn: [a] }
  - { id: c, run: "true", dependsOn: [a] }
  - { id: d, run: "true", dependsOn: [b, c] }
`);
const times = { a: { durationMs: 100 }, b: { durationMs: 300 }, c: { durationMs: 200 }, d: { durationMs: 50 } };

test("runs independent steps at the same time and joins them", () => {
  const { state, isOver, peak, workMs } = simulate(diamond, scenario(times));
  expect(isOver).toBe(true);
  expect(state.run.status).toBe("completed");
  expect(state.run.finishedAt).toBe(450);
  expect(peak).toBe(2);
  expect(workMs).toBe(650);
  checkInvariants(state);
});

test("keeps to the cap of the run", () => {
  const { state, peak } = simulate(diamond, scenario(times), { maxConcurrent: 1 });
  expect(peak).toBe(1);
  expect(state.run.finishedAt).toBe(650);
});

test("repeats failing attempts as the plan says", () => {
  const plan = planOf(`
name: retry
steps: [{ id: a, run: "true", retry: { maxAttempts: 3, delay: 1s, backoff: fixed, jitter: 0 } }]
`);
  expect(simulate(plan, scenario({ a: { durationMs: 100, failures: 2 } })).state.run).toMatchObject({
    status: "completed",
    finishedAt: 2300,
  });
  expect(simulate(plan, scenario({ a: { durationMs: 100, failures: 3 } })).state.run).toMatchObject({
    status: "failed",
    finishedAt: 2300,
  });
});

test("fails an attempt that takes longer than its timeout", () => {
  const plan = planOf(`{ name: late, steps: [{ id: a, run: "true", timeout: 1s }] }`);
  const { state } = simulate(plan, scenario({ a: { durationMs: 5000 } }));
  expect(state.run).toMatchObject({ status: "failed", finishedAt: 1000, error: { code: "timeout" } });
});

test("stops running steps when a failure stops the run", () => {
  const plan = planOf(`
name: stop
steps:
  - { id: bad, run: "true", dependsOn: [] }
  - { id: long, run: "true", dependsOn: [] }
`);
  const { state, workMs } = simulate(
    plan,
    scenario({ bad: { durationMs: 100, fails: true }, long: { durationMs: 9000 } }),
  );
  expect(state.run).toMatchObject({ status: "failed", finishedAt: 100, canceledSteps: 1 });
  expect(workMs).toBe(200);
});

test("runs a map with its cap, and `finally` after a run that timed out", () => {
  const plan = planOf(`
name: map
timeout: 450ms
inputs: { regions: { type: array } }
steps:
  - { id: each, run: "true", forEach: { items: "\${{ inputs.regions }}", maxConcurrent: 2 } }
  - { id: next, run: "true" }
finally:
  - { id: clean, run: "true" }
`);
  const { state, peak } = simulate(
    plan,
    scenario({ each: { durationMs: 100, items: 6 }, next: { durationMs: 900 }, clean: { durationMs: 50 } }),
  );
  expect(peak).toBe(2);
  expect(state.run).toMatchObject({ status: "failed", finishedAt: 500, error: { code: "timeout" } });
  checkInvariants(state);
});

test("answers conditions, sleeps, approvals and signals", () => {
  const plan = planOf(`
name: waits
inputs: { go: { type: boolean } }
steps:
  - { id: skipped, run: "true", when: "\${{ inputs.go }}" }
  - { id: nap, sleep: 2s }
  - { id: approve, approval: {} }
`);
  const { state, isOver } = simulate(plan, scenario({ skipped: { when: false }, approve: { durationMs: 500 } }));
  expect(isOver).toBe(true);
  expect(state.run).toMatchObject({ status: "completed", finishedAt: 2500, skippedSteps: 1 });
});

function end(seed: number): number | null {
  return simulate(diamond, { seed, steps: new Map() }).state.run.finishedAt;
}

test("gives the same picture for the same seed, and another for another", () => {
  expect(end(7)).toBe(end(7));
  expect(new Set([1, 2, 3, 4].map(end)).size).toBe(4);
});
