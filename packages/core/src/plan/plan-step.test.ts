import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { DEFAULT_RETRY, retryPolicyOf } from "./retry-policy.ts";
import { define, planOf, problemsOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });

describe("a retry policy", () => {
  test("is filled field by field from the step, then `defaults`, then what is documented", () => {
    const plan = planOf({
      defaults: { retry: { maxAttempts: 3, delay: "2s" } },
      steps: [step("a"), step("b", { retry: { maxAttempts: 5, backoff: "fixed" } })],
    });
    expect(plan.steps[0]!.retry).toEqual({ ...DEFAULT_RETRY, maxAttempts: 3, delayMs: 2000 });
    expect(plan.steps[1]!.retry).toEqual({ ...DEFAULT_RETRY, maxAttempts: 5, delayMs: 2000, backoff: "fixed" });
  });

  test("is one attempt where nobody says more", () => {
    expect(planOf([step("a")]).steps[0]!.retry).toEqual({
      maxAttempts: 1,
      delayMs: 1000,
      backoff: "exponential",
      factor: 2,
      maxDelayMs: 300_000,
      jitter: 0.1,
      on: null,
    });
  });

  test("bounds no delay below the first one", () => {
    expect(retryPolicyOf({ delay: 600_000 }).maxDelayMs).toBe(600_000);
    expect(retryPolicyOf({ delay: 600_000, maxDelay: 1 }).maxDelayMs).toBe(1);
  });

  test("of `defaults` is for tasks: nobody wants an approval asked for three times", () => {
    const plan = planOf({
      defaults: { retry: { maxAttempts: 3 }, timeout: "1m" },
      steps: [step("a"), { id: "b", approval: true }],
    });
    expect(plan.steps.map(({ retry, timeoutMs }) => [retry.maxAttempts, timeoutMs])).toEqual([
      [3, 60_000],
      [1, null],
    ]);
  });
});

describe("a setting", () => {
  test("of `defaults` gives way to the step's own", () => {
    const plan = planOf({ defaults: { timeout: "1m" }, steps: [step("a"), step("b", { timeout: 5 })] });
    expect(plan.steps.map(({ timeoutMs }) => timeoutMs)).toEqual([60_000, 5000]);
  });

  test("may be a template in `defaults`", () => {
    const [first] = planOf({ defaults: { timeout: "${{ run.id }}" }, steps: [step("a")] }).steps;
    expect(first).toMatchObject({ evaluates: true, timeoutMs: null, host: { control: { timeout: "${{ run.id }}" } } });
  });

  test("of priority is inherited from the block around", () => {
    const inner = { id: "inner", parallel: [step("x"), step("y", { priority: -1 })] };
    const plan = planOf([step("a"), { id: "block", priority: 5, parallel: [inner, step("z")] }]);
    const priorities = Object.fromEntries(plan.steps.map(({ id, priority }) => [id, priority]));
    expect(priorities).toEqual({ a: 0, block: 5, inner: 5, x: 5, y: -1, z: 5 });
  });

  test("goes to the plan as it is", () => {
    const [first] = planOf([
      step("a", {
        name: "A step",
        description: "does it",
        whenUnmet: "fail",
        onError: "skipDependents",
        queue: "gpu",
        resources: { gpu: 1 },
        runner: { kind: "docker", image: "x" },
        output: { type: "object" },
        set: { key: "1" },
      }),
    ]).steps;
    expect(first).toMatchObject({ name: "A step", whenUnmet: "fail", onError: "skipDependents" });
    expect(first!.host).toMatchObject({
      description: "does it",
      queue: "gpu",
      resources: { gpu: 1 },
      runner: { kind: "docker", image: "x" },
      outputSchema: { type: "object" },
      set: { key: "1" },
    });
  });

  test("that nobody writes has its default", () => {
    const [first] = planOf([step("a")]).steps;
    expect(first).toMatchObject({ whenUnmet: "skip", onError: "fail", priority: 0, startDelayMs: 0, deadlineMs: null });
    expect(first!.host).toMatchObject({
      queue: "default",
      set: null,
      outputSchema: null,
      concurrency: null,
      groupId: null,
    });
  });

  test("without meaning where it stands is refused, also from a builder", () => {
    const definition = define([
      { id: "b", parallel: [step("x")] },
      { id: "j", dependsOn: [] },
    ]);
    const [block, join] = definition.steps;
    const steps = [
      { ...block!, retry: { maxAttempts: 2 }, deadline: 5, forEach: { items: [1] } },
      { ...join!, forEach: { items: [1] } },
    ];
    const { diagnostics } = compile({ ...definition, timeout: "${{ run.id }}", steps });
    expect(diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "invalid_value /timeout",
      "invalid_value /steps/0/retry",
      "invalid_value /steps/0/deadline",
      "invalid_value /steps/0/forEach",
      "invalid_value /steps/1/forEach",
    ]);
  });
});

describe("the workflow's own settings", () => {
  test("are kept for the host", () => {
    const plan = planOf({
      description: "ships",
      inputs: { sha: "string" },
      env: { CI: "1" },
      secrets: ["TOKEN"],
      priority: 3,
      schedule: "0 3 * * *",
      concurrency: { group: "ship", max: 1, onConflict: "queue" },
      timeout: "1h",
      parallel: { maxConcurrent: 7, rateLimit: 5, failFast: false },
      types: { t: { run: "true" } },
      output: { x: 1 },
      steps: [step("a")],
    });
    expect(plan).toMatchObject({ planVersion: 1, definitionVersion: 1, workflow: "example", hasOutput: true });
    expect(plan.host).toMatchObject({
      description: "ships",
      env: { CI: "1" },
      secrets: { TOKEN: { env: "TOKEN" } },
      output: { x: 1 },
      concurrency: { group: "ship", max: 1, onConflict: "queue" },
      priority: 3,
      schedule: "0 3 * * *",
    });
    expect(plan.scopes[0]).toMatchObject({ maxConcurrent: 7, mode: "continue", timeoutMs: 3_600_000 });
    expect(plan.scopes[0]!.rateLimit).toMatchObject({ count: 5, perMs: 1000 });
  });

  test("leave the cap to the host where the file has none", () => {
    expect(planOf([step("a")]).scopes[0]!.maxConcurrent).toBeNull();
    expect(problemsOf([step("a")])).toEqual([]);
  });
});
