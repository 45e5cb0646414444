import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { criticalPath, speedUp } from "./critical-path.ts";
import { planOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const needs = (id: string, ...dependsOn: readonly unknown[]): object => step(id, { dependsOn });
const minutes = (durations: { readonly [id: string]: number }): ReadonlyMap<string, number> =>
  new Map(Object.entries(durations).map(([id, length]) => [id, length * 60_000]));

describe("the critical path", () => {
  test("is the longest way by duration", () => {
    const plan = planOf([step("a"), needs("b", "a"), needs("c", "a"), needs("d", "b", "c")]);
    expect(criticalPath(plan, minutes({ a: 1, b: 2, c: 5, d: 1 }))).toEqual({ ms: 420_000, path: ["a", "c", "d"] });
    expect(criticalPath(plan, minutes({ a: 1, b: 6, c: 5, d: 1 })).path).toEqual(["a", "b", "d"]);
  });

  test("counts every step as 1 without durations, and takes the first of equally long ways", () => {
    const plan = planOf([step("a"), needs("b", "a"), needs("c", "a"), needs("d", "b", "c")]);
    expect(criticalPath(plan)).toEqual({ ms: 3, path: ["a", "b", "d"] });
  });

  test("goes through blocks and groups, which take no time of their own", () => {
    const plan = planOf([
      step("init"),
      step("a", { parallel: true }),
      step("b", { parallel: true }),
      { id: "block", parallel: [step("x"), needs("y", "x")] },
    ]);
    expect(criticalPath(plan, minutes({ init: 1, a: 3, b: 2, block: 99, x: 1, y: 1 }))).toEqual({
      ms: 360_000,
      path: ["init", "a", "x", "y"],
    });
  });

  test("leaves out what runs only when something fails", () => {
    const plan = planOf([step("a"), needs("h", "a.error"), needs("i", "h"), needs("b", "a")]);
    expect(criticalPath(plan)).toEqual({ ms: 2, path: ["a", "b"] });
  });

  test("goes through a handler that did run, after the step whose failure it handled", () => {
    const plan = planOf([step("a"), needs("h", "a.error"), needs("b", "a")]);
    expect(criticalPath(plan, minutes({ a: 1, h: 3 }))).toEqual({ ms: 240_000, path: ["a", "h"] });
  });

  test("goes on through `onSuccess` and `finally`", () => {
    const written = {
      steps: [step("a")],
      onSuccess: [step("s")],
      onFailure: [step("f")],
      finally: [step("y"), step("z")],
    };
    expect(criticalPath(planOf(written))).toEqual({ ms: 4, path: ["a", "s", "y", "z"] });
  });

  test("is never longer than the sum of all steps, nor shorter than any one", () => {
    const graphs = fc.integer({ min: 1, max: 20 }).chain((size) =>
      fc.record({
        pairs: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1))),
        lengths: fc.array(fc.nat(100), { minLength: size, maxLength: size }),
      }),
    );
    fc.assert(
      fc.property(graphs, ({ pairs, lengths }) => {
        const sources = lengths.map(() => new Set<string>());
        for (const [from, to] of pairs) if (from < to) sources[to]!.add(`s${from}`);
        const plan = planOf({ mode: "graph", steps: sources.map((set, index) => needs(`s${index}`, ...set)) });
        const durations = new Map(lengths.map((length, index) => [`s${index}`, length]));
        const { ms, path } = criticalPath(plan, durations);
        expect(ms).toBe(naiveLongest(sources, lengths));
        expect(path.reduce((sum, id) => sum + durations.get(id)!, 0)).toBe(ms);
        for (const [place, id] of path.entries()) {
          const isAfter = place === 0 || ancestors(sources, Number(id.slice(1))).has(path[place - 1]!);
          expect(isAfter).toBe(true);
        }
      }),
    );
  });
});

function naiveLongest(sources: readonly ReadonlySet<string>[], lengths: readonly number[]): number {
  const longest: number[] = [];
  for (const [index, length] of lengths.entries()) {
    longest.push(length + Math.max(0, ...[...sources[index]!].map((source) => longest[Number(source.slice(1))]!)));
  }
  return Math.max(0, ...longest);
}

function ancestors(sources: readonly ReadonlySet<string>[], index: number): ReadonlySet<string> {
  const found = new Set(sources[index]);
  for (const id of found) for (const source of sources[Number(id.slice(1))]!) found.add(source);
  return found;
}

describe("the speed-up", () => {
  test("of three checks of two minutes at the same time is three", () => {
    const plan = planOf(["syntax", "security", "policy"].map((id) => step(id, { parallel: true })));
    expect(speedUp(plan, minutes({ syntax: 2, security: 2, policy: 2 }))).toEqual({
      sequentialMs: 360_000,
      makespanMs: 120_000,
      speedUp: 3,
    });
  });

  test("of two steps between two others is 5 / 4", () => {
    const plan = planOf([
      step("initialize"),
      step("task-a", { parallel: true }),
      step("task-b", { parallel: true }),
      step("finalize"),
    ]);
    const durations = minutes({ initialize: 2, "task-a": 1, "task-b": 1, finalize: 1 });
    expect(speedUp(plan, durations)).toEqual({ sequentialMs: 300_000, makespanMs: 240_000, speedUp: 1.25 });
  });

  test("is bounded by the number of slots", () => {
    const plan = planOf(Array.from({ length: 10 }, (_, index) => step(`s${index}`, { parallel: true })));
    expect(speedUp(plan, undefined, 4)).toEqual({ sequentialMs: 10, makespanMs: 2.5, speedUp: 4 });
    expect(speedUp(plan).speedUp).toBe(10);
  });

  test("of nothing is 1", () => {
    expect(speedUp(planOf([step("a")]), new Map()).speedUp).toBe(1);
  });
});
