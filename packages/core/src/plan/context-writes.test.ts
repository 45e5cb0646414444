import { expect, test } from "vitest";
import { problemOf, problemsOf } from "./testing/plans.ts";

const writes = (id: string, keys: readonly string[], more: object = {}): object => ({
  id,
  run: "true",
  set: Object.fromEntries(keys.map((key) => [key, "1"])),
  ...more,
});

const marked = (id: string, parallelGroup: number): object => writes(id, ["x"], { parallelGroup });

test("two steps that may run at the same time and write one key get a warning", () => {
  const steps = [writes("a", ["x"], { dependsOn: [] }), writes("b", ["x"], { dependsOn: [] })];
  expect(problemsOf(steps)).toEqual(["concurrent_context_write? /steps/1/set/x"]);
  expect(problemOf(steps)).toBe(
    "`a` and `b` both write `x` to the context, and neither comes after the other. " +
      "The one that is defined later wins. Let one depend on the other, or write two keys.",
  );
});

test("steps that come one after the other may write one key", () => {
  expect(problemsOf([writes("a", ["x"]), writes("b", ["x"]), writes("c", ["x"])])).toEqual([]);
});

test("steps may be ordered otherwise than they are defined", () => {
  const steps = [
    writes("b", ["x"], { dependsOn: ["a"] }),
    writes("c", ["x"], { dependsOn: ["b"] }),
    writes("a", ["x"], { dependsOn: [] }),
  ];
  expect(problemsOf(steps)).toEqual([]);
});

test("members of one group get a warning, and those of two groups do not", () => {
  expect(problemsOf([marked("a", 1), marked("b", 1)])).toHaveLength(1);
  expect(problemsOf([marked("a", 1), marked("b", 2)])).toEqual([]);
});

test("a member of a block is ordered by its block", () => {
  const block = { id: "block", parallel: [writes("a", ["x"])] };
  expect(problemsOf([block, writes("b", ["x"])])).toEqual([]);
  expect(problemsOf({ mode: "graph", steps: [block, writes("b", ["x"])] })).toHaveLength(1);
});

test("an expression that orders two writers keeps the warning away", () => {
  const reader = writes("b", ["x"], { env: { A: "${{ steps.a.output }}" } });
  expect(problemsOf({ mode: "graph", steps: [writes("a", ["x"]), reader] })).toEqual([]);
});

test("steps on a cycle get no warning beside its error", () => {
  const steps = [writes("a", ["x"], { dependsOn: ["b"] }), writes("b", ["x"], { dependsOn: ["a"] })];
  expect(problemsOf([...steps, writes("c", ["x"], { dependsOn: [] })])).toEqual(["cycle /steps/0"]);
});

test("each key gets one warning, however many write it", () => {
  const steps = ["a", "b", "c", "d"].map((id) => writes(id, id === "d" ? ["x"] : ["x", "y"], { dependsOn: [] }));
  expect(problemsOf(steps)).toEqual([
    "concurrent_context_write? /steps/1/set/x",
    "concurrent_context_write? /steps/1/set/y",
  ]);
});

test("the lists beside `steps` are ordered by themselves", () => {
  const written = { steps: [writes("a", ["x"])], onFailure: [writes("f", ["x"])], finally: [writes("z", ["x"])] };
  expect(problemsOf(written)).toEqual([]);
});
