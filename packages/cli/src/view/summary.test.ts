import type { StepResultView, RunResult } from "@braid/engine";
import { expect, test } from "vitest";
import { planOf } from "../testing/trace.ts";
import { renderSummary } from "./summary.ts";
import type { SummaryInput } from "./summary.ts";

const plan = planOf(`
name: release
inputs: { regions: { type: array } }
steps:
  - { id: build, run: "true", dependsOn: [] }
  - id: checks
    dependsOn: [build]
    parallel:
      steps:
        - { id: lint, run: "true" }
        - { id: unit, run: "true" }
  - { id: smoke, run: "true", dependsOn: [build], forEach: "\${{ inputs.regions }}" }
  - { id: ship, run: "true", dependsOn: [checks, smoke] }
`);

function step(status: StepResultView["status"], more: Partial<StepResultView> = {}): StepResultView {
  return {
    status,
    attempts: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    finishedAt: "2026-01-01T00:00:01.000Z",
    durationMs: 1000,
    skipReason: null,
    cause: null,
    tolerated: false,
    triggeredBy: null,
    error: null,
    output: null,
    ...more,
  };
}

const skipped = (skipReason: string): StepResultView =>
  step("skipped", { attempts: 0, startedAt: null, durationMs: null, skipReason });

const passed: RunResult = {
  runId: "run-1",
  epoch: 1,
  status: "completed",
  toleratedFailures: 0,
  error: null,
  failures: [],
  output: null,
  durationMs: 3000,
  steps: {
    build: step("completed"),
    checks: step("completed"),
    lint: step("completed"),
    unit: step("completed"),
    smoke: step("completed"),
    ship: step("completed"),
  },
};

function summary(result: RunResult, more: Partial<SummaryInput> = {}): string {
  const style = { colors: false, unicode: true };
  return renderSummary({
    plan,
    result,
    tails: new Map(),
    criticalPath: { steps: ["build", "unit", "ship"], ms: 3000 },
    workMs: 7500,
    style,
    ...more,
  });
}

test("of a run that went well says totals, critical path and speed-up", () => {
  expect(summary(passed)).toBe(
    `✓ release completed in 3.0s

  6 steps: 6 completed
  critical path 3.0s: build → unit → ship
  speed-up 2.5x: 7.5s of step time in 3.0s
`,
  );
});

const failed: RunResult = {
  ...passed,
  status: "failed",
  error: { step: "unit", code: "exit_code", message: "exited with code 2" },
  failures: [{ step: "unit", task: null, code: "exit_code", message: "exited with code 2" }],
  steps: {
    build: step("completed"),
    checks: step("failed", { error: { code: "scope_failed", message: "step `unit` failed" } }),
    lint: step("canceled", { cause: "scope_failed" }),
    unit: step("failed", { attempts: 3, error: { code: "exit_code", message: "exited with code 2" } }),
    smoke: step("canceled", { cause: "scope_failed" }),
    ship: skipped("upstream_failed"),
  },
};

test("of a run that failed names root failures first, with the end of their logs, then what they took down", () => {
  expect(summary(failed, { tails: new Map([["unit", ["1 test failed", "see above"]]]) })).toBe(
    `✗ release failed after 3.0s

  ✗ unit failed: exit_code: exited with code 2 (3 attempts, after 1.0s)
    │ 1 test failed
    │ see above

  Because of that:
    ✗ checks  failed: scope_failed: step \`unit\` failed
    ■ lint    canceled: scope failed
    ■ smoke   canceled: scope failed
    - ship    skipped: upstream failed

  6 steps: 1 completed, 2 failed, 1 skipped, 2 canceled
  critical path 3.0s: build → unit → ship
  speed-up 2.5x: 7.5s of step time in 3.0s
`,
  );
});

test("names the items of a map that failed", () => {
  const error = { code: "exit_code", message: "exited with code 1" };
  const result: RunResult = {
    ...failed,
    failures: [1, 4].map((task) => ({ step: "smoke", task, code: error.code, message: error.message })),
    steps: {
      ...failed.steps,
      checks: step("completed"),
      lint: step("completed"),
      unit: step("completed"),
      smoke: step("failed", { error }),
    },
  };
  expect(summary(result)).toContain(
    "  ✗ smoke failed: exit_code: exited with code 1 (after 1.0s)\n    smoke[1]: exit_code: exited with code 1\n    smoke[4]: exit",
  );
});

test("of a run that completed in spite of failures says so, and lists them", () => {
  const tolerated = step("failed", { tolerated: true, error: { code: "exit_code", message: "exited with code 1" } });
  const text = summary({ ...passed, toleratedFailures: 1, steps: { ...passed.steps, lint: tolerated } });
  expect(text).toContain("! release completed with warnings in 3.0s");
  expect(text).toContain("  Failed, and did not fail the run:\n    ✗ lint  failed: exit_code: exited with code 1\n");
});

test("of a run whose failure was handled names it, and what was lost, without calling it failed", () => {
  const handled = step("failed", { error: { code: "exit_code", message: "exited with code 1" } });
  const text = summary({ ...passed, steps: { ...passed.steps, smoke: handled, ship: skipped("upstream_failed") } });
  expect(text).toContain(
    "✓ release completed in 3.0s\n\n  Failed, and did not fail the run:\n    ✗ smoke  failed: exit_code: exited with code 1\n\n  Because of that:\n    - ship  skipped: upstream failed\n",
  );
});

test("of a run that timed out says that it was the run", () => {
  const text = summary({
    ...passed,
    status: "failed",
    error: { code: "timeout", message: "The run did not end within 1s." },
    failures: [],
    steps: { ...passed.steps, ship: step("canceled", { cause: "run_timeout" }) },
  });
  expect(text).toContain("  ✗ the run failed: timeout: The run did not end within 1s.");
});

test("of a canceled run lists what was stopped", () => {
  const text = summary({
    ...passed,
    status: "canceled",
    steps: { ...passed.steps, ship: step("canceled", { cause: "run_canceled" }) },
  });
  expect(text).toContain("■ release canceled after 3.0s\n\n  Stopped:\n    ■ ship  canceled: run canceled");
});

test("a message cannot bring control characters or lines of its own", () => {
  const error = { code: "handler_error", message: "first\nsecond\u001b[2J" };
  const text = summary({ ...failed, error, steps: { ...failed.steps, unit: step("failed", { error }) } });
  expect(text).toContain("handler_error: first second (after");
});
