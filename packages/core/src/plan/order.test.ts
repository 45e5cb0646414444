import { describe, expect, test } from "vitest";
import { edgesIn, planOf, problemOf, problemsOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const marked = (id: string, group?: number): object =>
  step(id, group === undefined ? { parallel: true } : { parallelGroup: group });

describe("a list without dependsOn and marks", () => {
  test("is sequential", () => {
    expect(edgesIn(planOf([step("a"), step("b"), step("c")]))).toEqual(["a -> b (order)", "b -> c (order)"]);
  });

  test("of one step has no edge", () => {
    expect(edgesIn(planOf([step("a")]))).toEqual([]);
  });

  test("takes `parallel: false` and `parallelGroup: 0` as unmarked", () => {
    expect(edgesIn(planOf([step("a", { parallel: false }), step("b", { parallelGroup: 0 })]))).toEqual([
      "a -> b (order)",
    ]);
  });

  test("orders blocks and maps like any step", () => {
    const block = { id: "block", parallel: { steps: [step("x"), step("y")] } };
    const plan = planOf([step("a"), block, step("b", { forEach: [1, 2] })]);
    expect(edgesIn(plan)).toEqual(["a -> block (order)", "block -> b (order)"]);
  });
});

describe("a list in which a step has dependsOn", () => {
  test("is a graph", () => {
    const plan = planOf([step("a"), step("b", { dependsOn: ["a"] }), step("c", { dependsOn: ["a"] })]);
    expect(edgesIn(plan)).toEqual(["a -> b (success, explicit)", "a -> c (success, explicit)"]);
  });

  test("is a graph when the only dependsOn is empty", () => {
    expect(edgesIn(planOf([step("a", { dependsOn: [] }), step("b", { dependsOn: [] })]))).toEqual([]);
  });

  test("accepts a first step without one in silence", () => {
    expect(problemsOf([step("a"), step("b", { dependsOn: ["a"] })])).toEqual([]);
  });

  test("warns of a later step without one", () => {
    expect(problemsOf([step("a"), step("b", { dependsOn: ["a"] }), step("c")])).toEqual(["ambiguous_order? /steps/2"]);
    expect(problemOf([step("a"), step("b", { dependsOn: ["a"] }), step("c")])).toBe(
      "`c` starts at once: other steps of the list have `dependsOn` and it has none. " +
        "Write `dependsOn: []` if that is meant, else name what it depends on.",
    );
  });

  test("takes `parallel: true` as 'starts at once'", () => {
    const steps = [step("a"), step("b", { dependsOn: ["a"] }), marked("c")];
    expect(problemsOf(steps)).toEqual([]);
    expect(edgesIn(planOf(steps))).toEqual(["a -> b (success, explicit)"]);
  });

  test("refuses a later step without either beside marks", () => {
    const steps = [step("a"), step("b", { dependsOn: ["a"] }), marked("c"), step("d")];
    expect(problemsOf(steps)).toEqual(["mixed_order /steps/3"]);
  });

  test("accepts an unmarked first step beside marks", () => {
    expect(problemsOf([step("a"), step("b", { dependsOn: [] }), marked("c")])).toEqual([]);
  });

  test("refuses parallelGroup", () => {
    const steps = [marked("a", 1), step("b", { dependsOn: ["a"] })];
    expect(problemsOf(steps)).toEqual(["mixed_order /steps/0/parallelGroup"]);
  });
});

describe("a dependsOn with failure and settled entries alone", () => {
  const handler = step("h", { dependsOn: [{ step: "b", on: "failure" }] });

  test("leaves the order and does not make a graph", () => {
    expect(edgesIn(planOf([step("a"), step("b"), handler, step("c")]))).toEqual([
      "a -> b (order)",
      "b -> h (failure, explicit)",
      "b -> c (order)",
    ]);
  });

  test("does not part the members of a group", () => {
    const plan = planOf([marked("a"), handler, marked("b"), step("c")]);
    expect(plan.steps.map(({ id }) => id)).toEqual(["steps/group-1", "a", "b", "h", "c"]);
    expect(edgesIn(plan)).toEqual(["b -> h (failure, explicit)", "steps/group-1 -> c (group)"]);
  });

  test("does not count as dependsOn beside parallelGroup", () => {
    expect(problemsOf([marked("a", 1), marked("b", 1), handler])).toEqual([]);
  });

  test("cannot be in a numbered group itself", () => {
    const numbered = step("h", { dependsOn: ["b.error"], parallelGroup: 1 });
    expect(problemsOf([marked("a", 1), marked("b", 1), numbered])).toEqual(["mixed_order /steps/2/parallelGroup"]);
  });

  test("makes no graph out of a list that one of it starts", () => {
    expect(edgesIn(planOf([handler, step("a"), step("b")]))).toEqual(["b -> h (failure, explicit)", "a -> b (order)"]);
  });
});

describe("marked neighbours", () => {
  test("make one hidden group that goes on when a member fails", () => {
    const plan = planOf([step("a"), marked("b"), marked("c"), step("d")]);
    const group = plan.steps[1]!;
    expect(group).toMatchObject({ id: "steps/group-1", kind: "block", hidden: true, body: 1 });
    expect(plan.scopes[1]).toMatchObject({ kind: "block", owner: 1, parent: 0, members: [2, 3], mode: "continue" });
    expect(edgesIn(plan)).toEqual(["a -> steps/group-1 (group)", "steps/group-1 -> d (group)"]);
  });

  test("alone in a list make one group of it", () => {
    const plan = planOf([marked("a"), marked("b")]);
    expect(plan.scopes[0]!.members).toEqual([0]);
    expect(edgesIn(plan)).toEqual([]);
  });

  test("are a group even when there is only one", () => {
    expect(planOf([marked("a"), step("b")]).steps.map(({ id }) => id)).toEqual(["steps/group-1", "a", "b"]);
  });

  test("with different numbers make groups with a barrier between", () => {
    const plan = planOf([marked("a", 10), marked("b", 10), marked("c", 20), marked("d")]);
    expect(edgesIn(plan)).toEqual(["steps/group-1 -> steps/group-2 (group)", "steps/group-2 -> steps/group-3 (group)"]);
    expect(plan.steps.filter(({ hidden }) => hidden).map(({ name }) => name)).toEqual([
      "group 10",
      "group 20",
      "parallel 3",
    ]);
  });

  test("that are parted make two groups of `parallel: true`", () => {
    expect(planOf([marked("a"), step("b"), marked("c")]).steps.filter(({ hidden }) => hidden)).toHaveLength(2);
  });

  test("read a number before `parallel: true`", () => {
    const plan = planOf([step("a", { parallel: true, parallelGroup: 1 }), marked("b", 1)]);
    expect(plan.steps.map(({ name }) => name)).toEqual(["group 1", "a", "b"]);
  });

  test("cannot take up a number again", () => {
    expect(problemOf([marked("a", 1), step("b"), marked("c", 1)])).toContain(
      "comes back after other steps; it began at `a`",
    );
    expect(problemsOf([marked("a", 1), step("b"), marked("c", 1)])).toEqual([
      "parallel_group_split /steps/2/parallelGroup",
    ]);
  });

  test("cannot have falling numbers", () => {
    expect(problemOf([marked("a", 2), marked("b", 1)])).toContain("comes after group 2: the numbers fall");
  });

  test("report every number that returns or falls", () => {
    const steps = [marked("a", 2), marked("b", 1), marked("c", 2), marked("d", 3)];
    expect(problemsOf(steps)).toEqual([
      "parallel_group_split /steps/1/parallelGroup",
      "parallel_group_split /steps/2/parallelGroup",
    ]);
  });
});

const block = (steps: readonly object[], more: object = {}): object => ({
  id: "block",
  parallel: { steps },
  ...more,
});

describe("a block", () => {
  test("runs its members at the same time", () => {
    expect(edgesIn(planOf([block([step("a"), step("b")])]))).toEqual([]);
  });

  test("orders members that name each other, and warns of nothing", () => {
    const steps = [block([step("a"), step("b", { dependsOn: ["a"] }), step("c")])];
    expect(problemsOf(steps)).toEqual([]);
    expect(edgesIn(planOf(steps))).toEqual(["a -> b (success, explicit)"]);
  });

  test("refuses parallelGroup and ignores `parallel: true` inside", () => {
    expect(problemsOf([block([marked("a", 1), marked("b")])])).toEqual([
      "mixed_order /steps/0/parallel/steps/0/parallelGroup",
    ]);
  });

  test("stands before its members, and nests", () => {
    const inner = { id: "inner", parallel: [step("x"), step("y")] };
    const plan = planOf([block([step("a"), inner, step("b")]), step("c")]);
    expect(plan.steps.map(({ id, scope, body }) => [id, scope, body])).toEqual([
      ["block", 0, 1],
      ["a", 1, null],
      ["inner", 1, 2],
      ["x", 2, null],
      ["y", 2, null],
      ["b", 1, null],
      ["c", 0, null],
    ]);
    expect(plan.scopes.map(({ kind, owner, parent, members }) => [kind, owner, parent, members])).toEqual([
      ["run", -1, -1, [0, 6]],
      ["block", 0, 0, [1, 2, 5]],
      ["block", 2, 1, [3, 4]],
    ]);
  });
});

describe("mode", () => {
  test("graph starts everything at once that names nothing, without a warning", () => {
    const written = { mode: "graph", steps: [step("a"), step("b"), step("c", { dependsOn: ["a"] })] };
    expect(problemsOf(written)).toEqual([]);
    expect(edgesIn(planOf(written))).toEqual(["a -> c (success, explicit)"]);
  });

  test("graph refuses parallelGroup", () => {
    expect(problemsOf({ mode: "graph", steps: [marked("a", 1)] })).toEqual(["mixed_order /steps/0/parallelGroup"]);
  });

  test("sequential keeps the file order beside dependsOn, and what is written says more", () => {
    const written = {
      mode: "sequential",
      steps: [step("a"), step("b", { dependsOn: ["a"] }), step("c", { dependsOn: ["a"] })],
    };
    expect(problemsOf(written)).toEqual([]);
    expect(edgesIn(planOf(written))).toEqual([
      "a -> b (success, explicit)",
      "a -> c (success, explicit)",
      "b -> c (order)",
    ]);
  });

  test("sequential refuses a dependency on a later step as a cycle", () => {
    const written = { mode: "sequential", steps: [step("a", { dependsOn: ["b"] }), step("b")] };
    expect(problemOf(written)).toContain("`a` waits for itself: `a` -> `b` (order) -> `a` (explicit)");
  });
});

describe("the lists beside steps", () => {
  const written = {
    steps: [step("main")],
    onSuccess: [step("s1"), step("s2")],
    onFailure: [step("f1"), step("f2", { dependsOn: ["f1"] })],
    finally: [step("z1"), marked("z2"), marked("z3"), step("z4"), step("z5")],
  };

  test("have order rules of their own, and `finally` goes on whatever became of the step before", () => {
    expect(edgesIn(planOf(written))).toEqual([
      "s1 -> s2 (order)",
      "f1 -> f2 (success, explicit)",
      "z1 -> finally/group-1 (settled, group)",
      "finally/group-1 -> z4 (settled, group)",
      "z4 -> z5 (settled, order)",
    ]);
  });

  test("are owned by hidden steps behind the main list, in scopes of their own", () => {
    const plan = planOf(written);
    const { onSuccess, onFailure, finally: last } = plan.phases;
    expect([onSuccess, onFailure, last]).toEqual([1, 4, 7]);
    expect(plan.steps[7]).toMatchObject({ id: "run/finally", kind: "phase", hidden: true, scope: 0, body: 3 });
    expect(plan.scopes[0]!.members).toEqual([0]);
    expect(plan.scopes.map(({ kind, mode }) => [kind, mode])).toEqual([
      ["run", "fail_all"],
      ["phase", "fail_all"],
      ["phase", "fail_all"],
      ["phase", "continue"],
      ["block", "continue"],
    ]);
  });

  test("are null where a workflow has none", () => {
    expect(planOf([step("a")]).phases).toEqual({ onSuccess: null, onFailure: null, finally: null });
  });

  test("order blocks inside `finally` like any step", () => {
    const plan = planOf({ steps: [step("a")], finally: [{ id: "b", parallel: [step("x"), step("y")] }, step("c")] });
    expect(edgesIn(plan)).toEqual(["b -> c (settled, order)"]);
  });
});
