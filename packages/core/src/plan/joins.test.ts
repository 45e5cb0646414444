import { describe, expect, test } from "vitest";
import { planOf, problemOf, problemsOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const needs = (id: string, dependsOn: readonly unknown[], more: object = {}): object =>
  step(id, { dependsOn, ...more });
const sources = [step("a"), needs("b", []), needs("c", [])];

describe("a join", () => {
  test.each([
    ["any", { kind: "any", quorum: 0, cancelRest: false }],
    ["first", { kind: "first", quorum: 0, cancelRest: true }],
    ["settled", { kind: "settled", quorum: 0, cancelRest: false }],
    [{ quorum: 2 }, { kind: "quorum", quorum: 2, cancelRest: false }],
    [
      { quorum: 2, cancelRest: true },
      { kind: "quorum", quorum: 2, cancelRest: true },
    ],
    [undefined, { kind: "all", quorum: 0, cancelRest: false }],
  ])("is kept in the plan: %j", (join, expected) => {
    const plan = planOf([...sources, needs("d", ["a", "b", "c"], join === undefined ? {} : { join })]);
    expect(plan.steps[3]!.join).toEqual(expected);
  });

  test("may need exactly as many as there are", () => {
    expect(problemsOf([...sources, needs("d", ["a", "b", "c"], { join: { quorum: 3 } })])).toEqual([]);
  });

  test("cannot need more than there are", () => {
    const steps = [...sources, needs("d", ["a", "b"], { join: { quorum: 3 } })];
    expect(problemsOf(steps)).toEqual(["join_unsatisfiable /steps/3/join"]);
    expect(problemOf(steps)).toBe("`d` needs 3 of its 2 dependencies. A quorum is a whole number from 1 to 2.");
  });

  test.each(["any", "first", { quorum: 1 }])("%j cannot start a step that depends on nothing", (join) => {
    expect(problemsOf([needs("a", [], { join })])).toEqual(["join_unsatisfiable /steps/0/join"]);
  });

  test("counts the edge that the order of a list makes", () => {
    expect(problemsOf([step("a"), step("b", { join: "any" })])).toEqual([]);
  });
});

describe("a step that can never start", () => {
  const pure = { id: "join", dependsOn: [] };

  test("waits for the failure of a step that does nothing", () => {
    const steps = [pure, needs("h", ["join.error"])];
    expect(problemsOf(steps)).toEqual(["unreachable_step? /steps/1"]);
    expect(problemOf(steps)).toBe(
      "`h` can never start: it waits for a failure of `join`, which has nothing that could fail.",
    );
  });

  test("takes with it what needs it, and nothing else", () => {
    const steps = [
      pure,
      needs("h", ["join.error"]),
      needs("i", ["h"]),
      needs("j", ["h", "join"]),
      needs("k", [{ step: "h", on: "settled" }]),
    ];
    expect(problemsOf(steps)).toEqual(["unreachable_step? /steps/1", "unreachable_step? /steps/2"]);
  });

  test("may be a quorum that cannot be reached", () => {
    const steps = [pure, step("a", { dependsOn: [] }), needs("h", ["join.error", "a"], { join: { quorum: 2 } })];
    expect(problemsOf(steps)).toEqual(["unreachable_step? /steps/2"]);
  });

  test("does not stop what only comes after it", () => {
    const hopeless = needs("h", ["a", "join.error"], { join: { quorum: 2 } });
    const written = { mode: "sequential", steps: [pure, step("a"), hopeless, step("next")] };
    expect(problemsOf(written)).toEqual(["unreachable_step? /steps/2"]);
  });

  test("is not one whose source may fail, or which has another way", () => {
    expect(problemsOf([step("a"), needs("h", ["a.error"])])).toEqual([]);
    expect(problemsOf([{ ...pure, when: "inputs" }, needs("h", ["join.error"])])).toEqual([]);
    expect(problemsOf([pure, step("a", { dependsOn: [] }), needs("h", ["join.error", "a"], { join: "any" })])).toEqual(
      [],
    );
  });

  test("does not keep the workflow from being compiled", () => {
    expect(planOf([pure, needs("h", ["join.error"])]).steps).toHaveLength(2);
  });
});
