import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { define, planOf, problemOf, problemsOf } from "./testing/plans.ts";
import type { Definition, StepDefinition } from "../definition/model.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const needs = (id: string, ...dependsOn: readonly unknown[]): object => step(id, { dependsOn });

const reading = (id: string, read: string): object => step(id, { env: { X: `\${{ steps.${read}.output }}` } });

describe("a cycle", () => {
  test("is reported as a closed path that says where each edge comes from", () => {
    expect(problemOf([needs("a", "c"), needs("b", "a"), needs("c", "b")])).toBe(
      "`a` waits for itself: `a` -> `b` (explicit) -> `c` (explicit) -> `a` (explicit). " +
        "Each arrow says where it comes from; one of them has to go.",
    );
  });

  test("is reported by its shortest path", () => {
    const steps = [needs("a", "c", "b"), needs("b", "a"), needs("c", "b")];
    expect(problemOf(steps)).toContain("`a` -> `b` (explicit) -> `a` (explicit).");
  });

  test("is reported once for each set of steps that wait for each other", () => {
    const steps = [needs("a", "b"), needs("b", "a"), needs("x", "a"), needs("c", "d", "x"), needs("d", "c")];
    expect(problemsOf(steps)).toEqual(["cycle /steps/0", "cycle /steps/3"]);
  });

  test("inside a block is found", () => {
    expect(problemsOf([{ id: "block", parallel: [needs("a", "b"), needs("b", "a")] }])).toEqual([
      "cycle /steps/0/parallel/0",
    ]);
  });

  test("through blocks names the blocks", () => {
    const left = { id: "left", parallel: [reading("a", "b")] };
    const right = { id: "right", parallel: [reading("b", "a")] };
    expect(problemOf({ mode: "graph", steps: [left, right] })).toContain(
      "`left` waits for itself: `left` -> `right` (inferred) -> `left` (inferred)",
    );
  });

  test("of very many steps is cut short in the message", () => {
    const steps = Array.from({ length: 100 }, (_, index) => needs(`s${index}`, `s${(index + 99) % 100}`));
    expect(problemOf(steps)).toMatch(/-> `s7` \(explicit\) -> … 85 more … -> `s93` \(explicit\)/);
  });
});

describe("a group whose failure is handled outside", () => {
  const marked = [step("a", { parallel: true }), step("b", { parallel: true })];

  test("cannot end before its handler is decided, so a handler that needs what comes behind it is a cycle", () => {
    const handler = step("h", { dependsOn: ["a.error"], env: { X: "${{ steps.after.output }}" } });
    expect(problemOf([...marked, step("after"), handler])).toContain(
      "parallel 1 (waits for its handler) -> `after` (group)",
    );
  });

  test("cannot have a handler that needs the whole group", () => {
    const handler = step("h", { dependsOn: ["a.error"], env: { X: "${{ steps.b.output }}" } });
    expect(problemsOf([...marked, handler])).toEqual(["cycle /steps/2"]);
  });

  test("may have a handler that needs nothing else", () => {
    expect(problemsOf([...marked, step("after"), needs("h", "a.error")])).toEqual([]);
  });

  test("does not wait for a step that only follows one of its members", () => {
    const follower = step("s", { dependsOn: [{ step: "a", on: "settled" }], env: { X: "${{ steps.after.output }}" } });
    expect(problemsOf([...marked, step("after"), follower])).toEqual([]);
  });

  test("cannot wait for its own member through a step that has left the order", () => {
    const before = step("before", { env: { X: "${{ steps.s.output }}" } });
    const follower = needs("s", { step: "a", on: "settled" });
    expect(problemOf([before, ...marked, follower])).toContain(
      "`before` -> parallel 1 (group) -> `a` (member) -> `s` (explicit, on settled) -> `before` (inferred)",
    );
  });
});

const base = define([step("x")]);

const definitionOf = (dependencies: readonly (readonly number[])[]): Definition => ({
  ...base,
  order: "graph",
  steps: dependencies.map((sources, index): StepDefinition => {
    const dependsOn = sources.map((source) => ({ ref: `s${source}`, on: "success" as const, at: `/steps/${index}` }));
    return {
      id: `s${index}`,
      name: `s${index}`,
      action: { kind: "none" },
      env: {},
      dependsOn,
      at: `/steps/${index}`,
    };
  }),
});

describe("large graphs", () => {
  test("of 30 layers of diamonds are as quick as any", () => {
    const width = 12;
    const layered = Array.from({ length: 30 * width }, (_, index) => {
      const layer = Math.floor(index / width);
      return layer === 0 ? [] : Array.from({ length: width }, (_unused, place) => (layer - 1) * width + place);
    });
    expect(compile(definitionOf(layered)).plan?.edges).toHaveLength(29 * width * width);
  });

  test("in one chain of 10,000 need no recursion, closed or not", () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
    expect(compile(definitionOf(chain)).plan?.steps[0]!.rank).toBe(10_000);
    const closed = chain.with(0, [9999]);
    expect(compile(definitionOf(closed)).diagnostics.map(({ code }) => code)).toEqual(["cycle"]);
  });

  test("compile if and only if no cycle was planted", () => {
    const graphs = fc.integer({ min: 2, max: 25 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        forward: fc.uniqueArray(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { selector: String }),
        labels: fc.shuffledSubarray(
          Array.from({ length: size }, (_, index) => index),
          { minLength: size, maxLength: size },
        ),
        planted: fc.uniqueArray(fc.nat(size - 1), { minLength: 2, maxLength: size }),
        isPlanted: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(graphs, ({ size, forward, labels, planted, isPlanted }) => {
        const sources = Array.from({ length: size }, () => new Set<number>());
        for (const [from, to] of forward) if (from < to) sources[labels[to]!]!.add(labels[from]!);
        if (isPlanted) planted.forEach((to, place) => sources[to]!.add(planted.at(place - 1)!));
        const { plan, diagnostics } = compile(definitionOf(sources.map((set) => Array.from(set))));
        expect(plan === null).toBe(isPlanted);
        expect(diagnostics.some(({ code }) => code === "cycle")).toBe(isPlanted);
      }),
    );
  });
});

test("a plan without a cycle ranks every step before what follows it", () => {
  const plan = planOf([step("a"), needs("b", "a"), needs("c", "a"), needs("d", "b", "c")]);
  for (const { from, to } of plan.edges) expect(plan.steps[from]!.rank).toBeGreaterThan(plan.steps[to]!.rank);
});
