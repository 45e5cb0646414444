import { describe, expect, test } from "vitest";
import { edgesIn, planOf, problemOf, problemsOf } from "./testing/plans.ts";

/** A step that reads something in its environment. */
const reads = (id: string, expression: string, more: object = {}): object => ({
  id,
  run: "true",
  env: { VALUE: `\${{ ${expression} }}` },
  ...more,
});
const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const graph = (...steps: readonly object[]): { mode: string; steps: readonly object[] } => ({ mode: "graph", steps });

describe("a reference to a step that does not come before", () => {
  test("adds a success edge for its output", () => {
    expect(edgesIn(planOf(graph(step("a"), reads("b", "steps.a.output.x"))))).toEqual(["a -> b (success, inferred)"]);
  });

  test.each(["steps.a.status", "steps.a.error", "steps.a.error.message"])(
    "adds a settled edge for %s",
    (expression) => {
      expect(edgesIn(planOf(graph(step("a"), reads("b", expression))))).toEqual(["a -> b (settled, inferred)"]);
    },
  );

  test("adds a success edge when one of several expressions reads the output", () => {
    const both = step("b", {
      env: { A: "${{ steps.a.status }}", B: "${{ steps.a.outputs.x }}", C: "${{ steps.a.error }}" },
    });
    expect(edgesIn(planOf(graph(step("a"), both)))).toEqual(["a -> b (success, inferred)"]);
  });

  test("names a step by its name as well", () => {
    const plan = planOf(graph(step("a", { name: "Build it" }), reads("b", "steps['Build it'].output")));
    expect(edgesIn(plan)).toEqual(["a -> b (success, inferred)"]);
  });

  test.each([
    ["run", { run: "echo ${{ steps.a.output }}" }],
    ["command", { run: undefined, command: "echo ${{ steps.a.output }}" }],
    ["a shell command", { run: undefined, command: "!echo ${{ steps.a.output }}" }],
    ["params", { run: undefined, command: "echo", params: { x: "${{ steps.a.output }}" } }],
    ["with", { run: undefined, type: "http", with: { url: ["${{ steps.a.output }}"] } }],
    ["input of a child", { run: undefined, workflow: "child", with: { x: "${{ steps.a.output }}" } }],
    ["when", { when: "steps.a.output == 1" }],
    ["forEach", { forEach: "${{ steps.a.output }}" }],
    ["items of forEach", { forEach: { items: "${{ steps.a.output }}", maxConcurrent: 2 } }],
    ["set", { set: { key: "${{ steps.a.output }}" } }],
    ["timeout", { timeout: "${{ steps.a.output }}" }],
    ["startDelay", { startDelay: "${{ steps.a.output }}" }],
    ["deadline", { deadline: "${{ steps.a.output }}" }],
    ["concurrency", { concurrency: { key: "${{ steps.a.output }}", max: 1 } }],
    ["sleep", { run: undefined, sleep: "${{ steps.a.output }}" }],
    ["signal", { run: undefined, signal: "${{ steps.a.output }}" }],
    ["approval", { run: undefined, approval: "Ship ${{ steps.a.output }}?" }],
    ["workingDirectory", { workingDirectory: "${{ steps.a.output }}" }],
  ])("is found in %s", (_, more) => {
    const plan = planOf(graph(step("a"), step("b", more)));
    expect(edgesIn(plan)).toEqual(["a -> b (success, inferred)"]);
    expect(plan.steps[1]!.host.reads).toEqual([0]);
  });

  test("adds the edge between the members of the common list", () => {
    const producer = { id: "left", parallel: [step("a"), step("x")] };
    const consumer = { id: "right", parallel: [reads("b", "steps.a.output"), step("y")] };
    const plan = planOf(graph(producer, consumer));
    expect(edgesIn(plan)).toEqual(["left -> right (success, inferred)"]);
    expect(plan.steps.find(({ id }) => id === "b")!.host.reads).toEqual([1]);
  });

  test("adds an edge between members of one block", () => {
    expect(edgesIn(planOf([{ id: "block", parallel: [step("a"), reads("b", "steps.a.output")] }]))).toEqual([
      "a -> b (success, inferred)",
    ]);
  });

  test("adds one edge for two members of a block that read the same step", () => {
    const block = { id: "block", parallel: [reads("x", "steps.a.output"), reads("y", "steps.a.status")] };
    expect(edgesIn(planOf(graph(step("a"), block)))).toEqual(["a -> block (success, inferred)"]);
  });

  test("works both ways for a step that has left the order of its list", () => {
    const handler = (more: object): object => step("h", { dependsOn: ["a.error"], ...more });
    expect(edgesIn(planOf([step("a"), step("b"), handler({ env: { X: "${{ steps.b.status }}" } })]))).toEqual([
      "a -> b (order)",
      "a -> h (failure, explicit)",
      "b -> h (settled, inferred)",
    ]);
    expect(edgesIn(planOf([step("a"), reads("b", "steps.h.output"), handler({})]))).toEqual([
      "a -> b (order)",
      "h -> b (success, inferred)",
      "a -> h (failure, explicit)",
    ]);
  });
});

describe("a reference to a step that comes before", () => {
  test.each([
    ["by file order", [step("a"), step("x"), reads("b", "steps.a.output")]],
    [
      "by a group's barrier",
      [step("a", { parallel: true }), step("x", { parallel: true }), reads("b", "steps.a.output")],
    ],
    [
      "by dependsOn over several steps",
      [
        step("a"),
        step("x", { dependsOn: ["a"] }),
        step("y", { dependsOn: ["x"] }),
        reads("b", "steps.a.output", { dependsOn: ["y"] }),
      ],
    ],
    ["by a failure edge", [step("a"), reads("b", "steps.a.error", { dependsOn: ["a.error"] })]],
    ["inside a block that comes before", [{ id: "x", parallel: [step("a")] }, reads("b", "steps.a.output")]],
    ["its block comes behind", [step("a"), { id: "x", parallel: [reads("b", "steps.a.output")] }]],
    [
      "with `join: any` on that path",
      [step("a"), step("x", { dependsOn: [] }), reads("b", "steps.a.output", { dependsOn: ["a", "x"], join: "any" })],
    ],
  ])("adds no edge (%s)", (_, steps) => {
    expect(problemsOf(steps)).toEqual([]);
    expect(edgesIn(planOf(steps)).filter((edge) => edge.includes("inferred"))).toEqual([]);
  });

  test("adds no edge where a group's member is read by the handler of its failure", () => {
    const marked = [step("a", { parallel: true }), step("x", { parallel: true })];
    const plan = planOf([...marked, reads("h", "steps.a.error", { dependsOn: ["a.error"] })]);
    expect(edgesIn(plan)).toEqual(["a -> h (failure, explicit)"]);
  });
});

describe("a reference that the order forbids", () => {
  test("goes to a later step of a sequential list", () => {
    const steps = [reads("a", "steps.b.output"), step("b")];
    expect(problemsOf(steps)).toEqual(["unknown_reference /steps/0/env/VALUE"]);
    expect(problemOf(steps)).toContain("`a` reads `steps.b.output`, which the list puts after it.");
  });

  test("goes to a member of the same group", () => {
    const steps = [reads("a", "steps.b.output", { parallel: true }), step("b", { parallel: true })];
    expect(problemOf(steps)).toContain("which runs at the same time, in parallel 1");
  });

  test("goes to a later group", () => {
    const steps = [reads("a", "steps.b.output", { parallelGroup: 1 }), step("b", { parallelGroup: 2 })];
    expect(problemOf(steps)).toContain("which the list puts after group 1");
  });

  test.each(["any", "first", { quorum: 1 }])("is in a step with a join that it would change: %j", (join) => {
    const steps = [step("a"), step("x", { dependsOn: [] }), reads("b", "steps.a.output", { dependsOn: ["x"], join })];
    expect(problemsOf(steps)).toEqual(["unknown_reference /steps/2/env/VALUE"]);
  });

  test("is in a block with such a join", () => {
    const block = { id: "block", parallel: [reads("b", "steps.a.output")], dependsOn: ["x"], join: "any" };
    expect(problemOf([step("a"), step("x", { dependsOn: [] }), block])).toContain("`block` has `join: any`");
  });

  test("is fine with `join: settled`", () => {
    const steps = [
      step("a"),
      step("x", { dependsOn: [] }),
      reads("b", "steps.a.output", { dependsOn: ["x"], join: "settled" }),
    ];
    expect(edgesIn(planOf(steps))).toContain("a -> b (success, inferred)");
  });

  test("goes to the step itself, except in `set`", () => {
    expect(problemOf([reads("a", "steps.a.output")])).toContain("`a` reads `steps.a.output`, itself.");
    const plan = planOf([step("a", { set: { sha: "${{ steps.a.output.sha }}" } })]);
    expect(plan.steps[0]!.host.reads).toEqual([]);
  });

  test("goes to a block around it or a step inside", () => {
    expect(problemsOf([{ id: "block", parallel: [reads("a", "steps.block.output")] }])).toHaveLength(1);
    expect(problemsOf([{ id: "block", parallel: [step("a")], when: "steps.a.output" }])).toHaveLength(1);
  });

  test("makes a cycle with what is written", () => {
    expect(problemOf(graph(reads("a", "steps.b.output"), step("b", { dependsOn: ["a"] })))).toContain(
      "`a` waits for itself: `a` -> `b` (explicit) -> `a` (inferred)",
    );
  });

  test("makes a cycle with another reference: all are added at once", () => {
    expect(problemOf(graph(reads("a", "steps.b.output"), reads("b", "steps.a.status")))).toContain(
      "`a` -> `b` (inferred, on settled) -> `a` (inferred)",
    );
  });
});

describe("across the lists of a workflow", () => {
  test("`finally` reads everything and adds nothing", () => {
    const written = {
      steps: [step("a"), { id: "block", parallel: [step("x")] }],
      onSuccess: [step("s")],
      finally: [reads("z", "steps.a.status"), reads("y", "steps.x.output"), reads("w", "steps.s.output")],
    };
    expect(problemsOf(written)).toEqual([]);
    expect(edgesIn(planOf(written)).filter((edge) => edge.includes("inferred"))).toEqual([]);
  });

  test("`finally` cannot read its own later steps, nor order itself by an expression", () => {
    expect(problemsOf({ steps: [step("a")], finally: [reads("y", "steps.z.output"), step("z")] })).toHaveLength(1);
    const beside = [step("y", { dependsOn: [] }), reads("z", "steps.y.output", { dependsOn: [] })];
    expect(problemOf({ steps: [step("a")], finally: beside })).toContain("an expression orders nothing in `finally`");
  });

  test("`onFailure` reads the main list", () => {
    expect(problemsOf({ steps: [step("a")], onFailure: [reads("f", "steps.a.error")] })).toEqual([]);
  });

  test("`onFailure` and `onSuccess` cannot read each other, nor the main list them", () => {
    const hooks = { onSuccess: [step("s")], onFailure: [reads("f", "steps.s.output")] };
    expect(problemsOf({ steps: [step("a")], ...hooks })).toEqual(["unknown_reference /onFailure/0/env/VALUE"]);
    expect(problemOf({ steps: [reads("a", "steps.z.output")], finally: [step("z")] })).toContain(
      "does not run before it",
    );
  });

  test("`output` reads every step before `finally` and adds nothing", () => {
    const written = { steps: [step("a"), step("b", { dependsOn: [] })], output: { x: "${{ steps.a.output }}" } };
    const plan = planOf(written);
    expect(plan.hasOutput).toBe(true);
    expect(plan.edges).toEqual([]);
    const last = { steps: [step("a")], finally: [step("z")], output: "${{ steps.z.output }}" };
    expect(problemsOf(last)).toEqual(["unknown_reference /output"]);
    expect(problemsOf({ steps: [step("a")], output: { x: "${{ steps.b.output }}" } })).toEqual([
      "unknown_reference /output/x",
    ]);
  });
});
