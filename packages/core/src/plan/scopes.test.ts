import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import type { Definition, StepDefinition } from "../definition/model.ts";
import type { Plan } from "./plan.ts";
import { define, planOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const rateLimit = { count: 2, perMs: 1000, burst: 1 };

const outlineOf = (plan: Plan): readonly unknown[] =>
  plan.steps.map(({ id, kind, scope, slots, body }) => [id, kind, scope, slots, body]);

describe("a block", () => {
  test("has the settings of its scope", () => {
    const parallel = {
      steps: [step("x")],
      onFailure: "complete_running",
      timeout: 600,
      maxConcurrent: 3,
      rateLimit: 2,
    };
    expect(planOf([{ id: "b", parallel }]).scopes[1]).toMatchObject({
      kind: "block",
      owner: 0,
      parent: 0,
      members: [1],
      mode: "complete_running",
      timeoutMs: 600_000,
      maxConcurrent: 3,
      tolerate: null,
    });
  });

  test("gives a timeout that a builder writes beside it to its scope", () => {
    const definition = define([{ id: "b", parallel: [step("x")] }]);
    const { plan } = compile({ ...definition, steps: [{ ...definition.steps[0]!, timeout: 5 }] });
    expect([plan?.steps[0]!.timeoutMs, plan?.scopes[1]!.timeoutMs]).toEqual([null, 5]);
  });

  test("stops at the first failure where it does not say otherwise", () => {
    expect(planOf([{ id: "b", parallel: [step("x")] }]).scopes[1]!.mode).toBe("fail_all");
  });
});

describe("a map", () => {
  test("has a scope of its own, whose slots its tasks take", () => {
    const forEach = { items: [1], maxConcurrent: 5, onFailure: "continue", tolerateFailures: 2 };
    const plan = planOf([step("a", { forEach })]);
    expect(outlineOf(plan)).toEqual([["a", "task", 0, 1, 1]]);
    expect(plan.scopes[1]).toMatchObject({
      kind: "map",
      owner: 0,
      parent: 0,
      members: [],
      maxConcurrent: 5,
      mode: "continue",
      tolerate: { kind: "items", value: 2 },
    });
  });

  test("takes the rate limit of its step, or of `forEach`", () => {
    expect(planOf([step("a", { forEach: [1], rateLimit: 2 })]).scopes[1]!.rateLimit).toMatchObject({ count: 2 });
    expect(planOf([step("a", { forEach: { items: [1], rateLimit: 3 } })]).scopes[1]!.rateLimit).toMatchObject({
      count: 3,
    });
  });

  test("obeys both limits where it has both", () => {
    const plan = planOf([step("a", { forEach: { items: [1], rateLimit: 3 }, rateLimit: 2 })]);
    expect(outlineOf(plan)).toEqual([
      ["rate/a", "pool", 0, 0, 1],
      ["a", "task", 0, 2, 2],
    ]);
    expect(plan.scopes.map(({ kind, parent }) => [kind, parent])).toEqual([
      ["run", -1],
      ["pool", 0],
      ["map", 1],
    ]);
  });
});

test("a rate limit of a step is a hidden pool around it", () => {
  const plan = planOf([step("a"), step("b", { rateLimit: 2 })]);
  expect(outlineOf(plan)).toEqual([
    ["a", "task", 0, 0, null],
    ["rate/b", "pool", 0, 0, 1],
    ["b", "task", 0, 1, null],
  ]);
  expect(plan.steps[1]).toMatchObject({ hidden: true, incoming: [], outgoing: [], rank: 0 });
  expect(plan.scopes[0]!.members).toEqual([0, 2]);
  expect(plan.scopes[1]).toMatchObject({ kind: "pool", owner: 1, parent: 0, members: [], maxConcurrent: null });
});

const onGpu = (entry: StepDefinition): StepDefinition => ({ ...entry, groupId: "gpu" });

const graph = (pools: Definition["pools"], steps: readonly object[]): Definition => {
  const definition = define({ mode: "graph", steps });
  return { ...definition, pools, steps: definition.steps.map(onGpu) };
};

describe("a group of a JSON graph", () => {
  test("with limits is a hidden pool before its first member", () => {
    const { plan } = compile(
      graph({ gpu: { maxConcurrent: 2, rateLimit } }, [
        step("a"),
        step("b", { rateLimit: 1 }),
        step("c", { forEach: [1] }),
      ]),
    );
    expect(outlineOf(plan!)).toEqual([
      ["pools/gpu", "pool", 0, 0, 1],
      ["a", "task", 0, 1, null],
      ["rate/b", "pool", 0, 1, 2],
      ["b", "task", 0, 2, null],
      ["c", "task", 0, 3, 3],
    ]);
    expect(plan!.scopes.map(({ kind, parent, maxConcurrent }) => [kind, parent, maxConcurrent])).toEqual([
      ["run", -1, null],
      ["pool", 0, 2],
      ["pool", 1, null],
      ["map", 1, null],
    ]);
    expect(plan!.scopes[1]!.rateLimit).toEqual(rateLimit);
    expect(plan!.steps[1]!.host.groupId).toBe("gpu");
  });

  test("without limits is a label only", () => {
    expect(outlineOf(compile(graph({ gpu: {} }, [step("a")])).plan!)).toEqual([["a", "task", 0, 0, null]]);
    expect(outlineOf(compile(graph({}, [step("a")])).plan!)).toEqual([["a", "task", 0, 0, null]]);
  });

  test("with limits cannot reach over several lists", () => {
    const definition = graph({ gpu: { maxConcurrent: 2 } }, [step("a"), { id: "b", parallel: [step("x")] }]);
    const [first, block] = definition.steps;
    const inner = block!.action.kind === "parallel" ? block!.action.block.steps : [];
    const steps = [
      first!,
      {
        ...block!,
        action: { kind: "parallel" as const, block: { steps: inner.map(onGpu) } },
      },
    ];
    expect(compile({ ...definition, steps }).diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "invalid_value /steps/1/parallel/0/groupId",
    ]);
  });
});

test("every scope stands behind the scope around it, and every owner before its members", () => {
  const plan = planOf({
    steps: [
      step("a", { parallel: true }),
      step("b", { parallel: true, forEach: [1], rateLimit: 2 }),
      {
        id: "block",
        parallel: [{ id: "inner", parallel: [step("x", { rateLimit: 1 })] }, step("y", { forEach: [1] })],
      },
    ],
    finally: [step("z", { rateLimit: 1 })],
  });
  for (const { index, parent, owner, members } of plan.scopes) {
    expect(parent).toBeLessThan(index);
    for (const member of members) expect(member).toBeGreaterThan(owner);
  }
  for (const { scope, slots, body, isMap, index } of plan.steps) {
    expect(isMap ? slots : body).toBe(body);
    expect(body === null ? index : plan.scopes[body]!.owner).toBe(index);
    let around = slots;
    while (around !== scope && around > 0) around = plan.scopes[around]!.parent;
    expect(around).toBe(scope);
  }
});
