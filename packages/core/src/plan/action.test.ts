import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import type { PlanStep } from "./plan.ts";
import { define, planOf, problemsOf } from "./testing/plans.ts";

/** The plan of one step; `workflow` holds keys beside `steps`. */
const only = (step: object, workflow: object = {}): PlanStep =>
  planOf({ ...workflow, steps: [{ id: "a", ...step }] }).steps.find(({ id }) => id === "a")!;

describe("an action", () => {
  test("`run` is a task of the handler `command`", () => {
    const step = only({ run: "make", shell: "sh", workingDirectory: "src", env: { CI: "1" } });
    expect(step).toMatchObject({ kind: "task", evaluates: false });
    expect(step.host.handler).toBe("command");
    expect(step.host.payload).toEqual({ run: "make", shell: "sh", workingDirectory: "src", env: { CI: "1" } });
  });

  test("`command` is a task of the handler `command`, with its params", () => {
    const { payload } = only({ command: ["argocd", "sync"], params: { app: "api" } }).host;
    expect(payload).toEqual({ command: ["argocd", "sync"], params: { app: "api" } });
  });

  test("`type` is a task of the handler of that name", () => {
    const step = only({ type: "http", with: { url: "x" } });
    expect([step.kind, step.host.handler, step.host.payload]).toEqual(["task", "http", { with: { url: "x" } }]);
  });

  test("none is a join, which takes no slot", () => {
    const plan = planOf([
      { id: "x", run: "true" },
      { id: "a", dependsOn: ["x"] },
    ]);
    expect(plan.steps[1]).toMatchObject({ kind: "join", host: { handler: "" } });
  });

  test("an entrypoint is a join that gives the input of the run", () => {
    expect(only({ type: "entrypoint" })).toMatchObject({ kind: "join", host: { handler: "entrypoint" } });
  });

  test("a function of the builder names its handler", () => {
    const definition = define([{ id: "a", run: "true" }]);
    const steps = [{ ...definition.steps[0]!, action: { kind: "function" as const, handler: "release/a" } }];
    const { plan } = compile({ ...definition, steps }, { types: [] });
    expect(plan?.steps[0]).toMatchObject({ kind: "task", host: { handler: "release/a", payload: {} } });
  });

  test("`sleep` has its time in the plan, or is evaluated", () => {
    expect(only({ sleep: "5s" })).toMatchObject({ kind: "sleep", sleepMs: 5000, evaluates: false });
    const step = only({ sleep: "${{ run.epoch }}" });
    expect(step).toMatchObject({ sleepMs: 0, evaluates: true, evaluatesItems: false });
    expect(step.host.control).toEqual({ sleep: "${{ run.epoch }}" });
  });

  test("`signal` has its name in the plan, or is evaluated", () => {
    expect(only({ signal: "go" })).toMatchObject({ kind: "signal", signal: "go", evaluates: false });
    expect(only({ signal: "go-${{ run.id }}" })).toMatchObject({ signal: null, evaluates: true });
  });

  test("`approval` keeps its message for those who approve", () => {
    const step = only({ approval: "Ship it?" });
    expect([step.kind, step.host.payload]).toEqual(["approval", { message: "Ship it?" }]);
  });

  test("`workflow` starts a child, whose input is evaluated unless it is constant", () => {
    const constant = only({ workflow: "child", with: { x: [1, { y: "z" }] } });
    expect(constant).toMatchObject({ kind: "child", evaluates: false });
    expect(constant.host.control).toEqual({ workflow: "child", childInput: { x: [1, { y: "z" }] } });
    expect(only({ workflow: "child", with: { x: [1, { y: "${{ run.id }}" }] } }).evaluates).toBe(true);
    expect(only({ workflow: "${{ run.id }}" }).evaluates).toBe(true);
  });

  test("`parallel` is a block", () => {
    expect(only({ parallel: [{ id: "x", run: "true" }] })).toMatchObject({ kind: "block", isMap: false, body: 1 });
  });
});

describe("a type that is bound to a command", () => {
  const types = {
    terraform: { command: "terraform apply", env: { TF_IN_AUTOMATION: "1", STAGE: "dev" }, workingDirectory: "infra" },
    deploy: { run: 'deploy "$BRAID_WITH_IMAGE_TAG"', shell: "sh" },
  };

  test("gets the values of `with` as variables and as params", () => {
    const step = only(
      { type: "terraform", with: { autoApprove: true, "var-file": "a.tfvars" }, env: { STAGE: "live" } },
      { types },
    );
    expect(step.host.handler).toBe("command");
    expect(step.host.payload).toEqual({
      command: "terraform apply",
      workingDirectory: "infra",
      params: { autoApprove: true, "var-file": "a.tfvars" },
      env: { TF_IN_AUTOMATION: "1", STAGE: "live", BRAID_WITH_AUTO_APPROVE: true, BRAID_WITH_VAR_FILE: "a.tfvars" },
    });
  });

  test("lets the step choose the directory, and gives a script variables only", () => {
    const step = only({ type: "deploy", with: { imageTag: "${{ run.id }}" }, workingDirectory: "app" }, { types });
    expect(step.host.payload).toEqual({
      run: 'deploy "$BRAID_WITH_IMAGE_TAG"',
      shell: "sh",
      workingDirectory: "app",
      env: { BRAID_WITH_IMAGE_TAG: "${{ run.id }}" },
    });
  });

  test("refuses values without a name, and two that become one variable", () => {
    const list = { id: "a", type: "deploy", with: ["x"] };
    expect(problemsOf({ types, steps: [list] })).toEqual(["invalid_value /steps/0/with"]);
    const twice = { id: "a", type: "deploy", with: { "image-tag": 1, imageTag: 2 } };
    expect(problemsOf({ types, steps: [twice] })).toEqual(["conflicting_keys /steps/0/with"]);
  });
});

describe("step types", () => {
  const steps = [{ id: "a", type: "terrafrom" }];

  test("are not checked by a host that does not know them", () => {
    expect(problemsOf({ steps })).toEqual([]);
    expect(problemsOf({ steps }, { types: null })).toEqual([]);
  });

  test("are built in, bound or registered, else the nearest one is a hint", () => {
    expect(problemsOf({ steps: [{ id: "a", type: "http" }] }, { types: [] })).toEqual([]);
    expect(problemsOf({ steps }, { types: ["terrafrom"] })).toEqual([]);
    expect(problemsOf({ steps, types: { terrafrom: { run: "true" } } }, { types: [] })).toEqual([]);
    expect(problemsOf({ steps }, { types: ["terraform"] })).toEqual(["unknown_step_type /steps/0/type"]);
    const { diagnostics } = compile(define({ steps }), { types: ["terraform"] });
    expect(diagnostics[0]!.hint).toBe("Did you mean `terraform`?");
  });
});

describe("what the host must evaluate", () => {
  test.each([
    ["when", { when: "inputs" }, { when: "inputs" }],
    ["startDelay", { startDelay: "${{ run.id }}" }, { startDelay: "${{ run.id }}" }],
    ["timeout", { timeout: "${{ run.id }}" }, { timeout: "${{ run.id }}" }],
    ["deadline", { deadline: "${{ run.id }}" }, { deadline: "${{ run.id }}" }],
    ["concurrency", { concurrency: { key: "${{ run.id }}", max: 2 } }, { concurrencyKey: "${{ run.id }}" }],
  ])("is %s", (_, more, control) => {
    const step = only({ run: "true", ...more });
    expect(step.evaluates).toBe(true);
    expect(step.host.control).toEqual(control);
  });

  test("is nothing where all is constant", () => {
    const step = only({
      run: "echo ${{ run.id }}",
      timeout: 60,
      deadline: "1h",
      startDelay: "1s",
      concurrency: { key: "x", max: 2 },
    });
    expect(step).toMatchObject({ evaluates: false, timeoutMs: 60_000, deadlineMs: 3_600_000, startDelayMs: 1000 });
    expect(step.host.control).toEqual({});
    expect(step.host.concurrency).toEqual({ key: "x", max: 2 });
  });

  test("is every map, and its items where each waits for something of its own", () => {
    expect(only({ run: "true", forEach: [1] })).toMatchObject({ isMap: true, evaluates: true, evaluatesItems: false });
    expect(only({ sleep: "${{ item }}", forEach: [1] })).toMatchObject({ evaluates: true, evaluatesItems: true });
    expect(only({ sleep: 1, forEach: [1] })).toMatchObject({ evaluates: true, evaluatesItems: false });
  });

  test("is the timeout of a block, which belongs to its scope", () => {
    const plan = planOf([{ id: "b", timeout: "${{ run.id }}", parallel: [{ id: "x", run: "true" }] }]);
    expect(plan.steps[0]).toMatchObject({ evaluates: true, timeoutMs: null });
    expect(plan.steps[0]!.host.control).toEqual({ timeout: "${{ run.id }}" });
  });
});
