import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { define, edgesIn, planOf, problemOf, problemsOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const needs = (id: string, ...dependsOn: readonly unknown[]): object => step(id, { dependsOn });

describe("dependsOn", () => {
  test("names a step by id or by name", () => {
    const plan = planOf([step("build", { name: "Build it" }), needs("a", "build"), needs("b", "Build it")]);
    expect(edgesIn(plan)).toEqual(["build -> a (success, explicit)", "build -> b (success, explicit)"]);
  });

  test("reads an id before a name", () => {
    const plan = planOf([step("x", { name: "y" }), step("y", { dependsOn: [] }), needs("a", "y")]);
    expect(edgesIn(plan)).toEqual(["y -> a (success, explicit)"]);
  });

  test("refuses a name that several steps have", () => {
    const steps = [step("x", { name: "Build" }), step("y", { name: "Build", dependsOn: [] }), needs("a", "Build")];
    expect(problemOf(steps)).toBe("`Build` is the name of several steps: `x`, `y`. Use the id.");
  });

  test("may say what it waits for", () => {
    const plan = planOf([
      step("a"),
      needs("b", { step: "a", on: "settled" }, "c"),
      needs("c", "a"),
      needs("d", "a.error"),
    ]);
    expect(edgesIn(plan)).toEqual([
      "a -> b (settled, explicit)",
      "c -> b (success, explicit)",
      "a -> c (success, explicit)",
      "a -> d (failure, explicit)",
    ]);
  });

  test("on an unknown step gets the nearest name as a hint", () => {
    const steps = [step("build"), needs("test", "biuld")];
    expect(problemsOf(steps)).toEqual(["missing_dependency /steps/1/dependsOn/0"]);
    expect(problemOf(steps)).toBe("There is no step `biuld`. Did you mean `build`?");
    expect(problemOf([step("build"), needs("test", "deploy-to-mars")])).toBe("There is no step `deploy-to-mars`.");
  });

  test("on the step itself is refused", () => {
    expect(problemsOf([step("a"), needs("b", "b")])).toEqual(["self_dependency /steps/1/dependsOn/0"]);
  });

  test("twice on one step is refused", () => {
    expect(problemsOf([step("a"), needs("b", "a", "a")])).toEqual(["duplicate_dependency /steps/1/dependsOn/1"]);
    expect(problemOf([step("a"), needs("b", "a", "a")])).toContain("Remove one of the two.");
  });

  test("twice on one step with a different `on` is refused with what would be right", () => {
    const text = problemOf([step("a"), needs("b", "a", "a.error")]);
    expect(text).toContain("with a different `on`");
    expect(text).toContain("`on: settled`");
    expect(text).toContain("`join: any`");
  });

  test("twice on two ports of one step is two edges", () => {
    const definition = define({ mode: "graph", steps: [step("a"), step("b")] });
    const at = "/steps/1/dependsOn/0";
    const dependsOn = ["x", "y"].map((port) => ({ ref: "a", on: "success" as const, port, at }));
    const steps = definition.steps.map((entry) => (entry.id === "b" ? { ...entry, dependsOn } : entry));
    const { plan } = compile({ ...definition, steps });
    expect(plan?.edges.map(({ port }) => port)).toEqual(["x", "y"]);
  });
});

const problem = (...steps: readonly object[]): string => problemOf(steps);

describe("a dependency across lists", () => {
  const block = { id: "block", parallel: [step("x"), step("y")], dependsOn: [] };

  test("into a block names the block to depend on", () => {
    expect(problem(block, needs("a", "x"))).toBe(
      "`a` depends on `x`, which stands in another list of steps. " +
        "Depend on the block `block`, which ends when all its members have.",
    );
  });

  test("out of a block names the block to write it at", () => {
    const inside = { id: "block", parallel: [needs("x", "a")], dependsOn: [] };
    expect(problem(step("a"), inside)).toContain("Write the dependency on `a` at the block `block`, which holds `x`.");
  });

  test("between two blocks names both", () => {
    const other = { id: "other", parallel: [needs("z", "x")], dependsOn: [] };
    expect(problem(block, other)).toContain("Write the dependency on the block `block` at the block `other`");
  });

  test("between a block and its member is refused", () => {
    const own = { id: "block", parallel: [needs("x", "block")], dependsOn: [] };
    expect(problem(own)).toContain("`block` holds one of the two");
    expect(problem({ ...block, dependsOn: ["x"] })).toContain("`block` holds one of the two");
  });

  test("on failure is refused at the border of a block too", () => {
    expect(problemsOf([block, needs("h", "x.error")])).toEqual(["cross_scope_dependency /steps/1/dependsOn/0"]);
  });

  test("between `steps` and `finally` is refused", () => {
    const written = { steps: [step("a")], finally: [needs("z", "a")] };
    expect(problemsOf(written)).toEqual(["cross_scope_dependency /finally/0/dependsOn/0"]);
  });

  test("on failure or settled may leave a group", () => {
    const marked = [step("a", { parallel: true }), step("b", { parallel: true })];
    const plan = planOf([...marked, needs("h", "a.error"), needs("s", { step: "b", on: "settled" })]);
    expect(edgesIn(plan)).toEqual(["a -> h (failure, explicit)", "b -> s (settled, explicit)"]);
  });

  test("on success may not leave a group", () => {
    const steps = [step("a", { parallel: true }), step("b", { parallel: true }), needs("c", "a")];
    expect(problemOf({ mode: "sequential", steps })).toContain("Steps wait for the whole group before them");
  });
});

describe("ids", () => {
  test("are unique in the whole workflow, and both places are named", () => {
    const written = { steps: [step("a"), { id: "block", parallel: [step("a")] }], finally: [step("a")] };
    const definition = define(written);
    const lines = new Map([
      ["/steps/0", 3],
      ["/steps/1/parallel/0", 7],
      ["/finally/0", 9],
    ]);
    const locate = (pointer: string): { line: number; column: number } | undefined => {
      const line = lines.get(pointer);
      return line === undefined ? undefined : { line, column: 5 };
    };
    const { plan, diagnostics } = compile(definition, { locate });
    expect(plan).toBeNull();
    expect(diagnostics.map(({ code, line, column }) => [code, line, column])).toEqual([
      ["duplicate_step", 7, 5],
      ["duplicate_step", 9, 5],
    ]);
    expect(diagnostics[0]!.message).toBe("`a` is the id of two steps: here and at line 3.");
  });

  test("of a builder may not be those of hidden steps", () => {
    const definition = define([step("a")]);
    const ids = ["steps/group-1", "a.b", "", "__proto__"];
    const codes = ids.flatMap((id) => {
      const steps = [{ ...definition.steps[0]!, id }];
      return compile({ ...definition, steps }).diagnostics.map(({ code }) => code);
    });
    expect(codes).toEqual(ids.map(() => "invalid_value"));
  });
});
