import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ancestorsOf,
  dependenciesOf,
  dependentsOf,
  edgesOf,
  findStep,
  layers,
  readySteps,
  topologicalOrder,
} from "./graph.ts";
import type { Plan } from "./plan.ts";
import { planOf } from "./testing/plans.ts";

const step = (id: string, more: object = {}): object => ({ id, run: "true", ...more });
const needs = (id: string, ...dependsOn: readonly unknown[]): object => step(id, { dependsOn });

const diamond = planOf([step("a"), needs("b", "a"), needs("c", "a"), needs("d", "b", "c")]);
const grouped = planOf([step("init"), step("a", { parallel: true }), step("b", { parallel: true }), step("end")]);
const blocks = planOf({
  mode: "graph",
  steps: [
    step("a"),
    { id: "block", dependsOn: ["a"], parallel: [step("x"), needs("y", "x"), step("z")] },
    needs("h", "block.error"),
    needs("last", "block"),
  ],
});
const phased = planOf({
  steps: [step("a")],
  onSuccess: [step("s")],
  onFailure: [step("f")],
  finally: [step("z1"), step("z2")],
});

describe("dependencies and dependents", () => {
  test("are the direct ones, in definition order", () => {
    expect(dependenciesOf(diamond, "d")).toEqual(["b", "c"]);
    expect(dependentsOf(diamond, "a")).toEqual(["b", "c"]);
    expect(dependenciesOf(diamond, "a")).toEqual([]);
  });

  test("see the members of a group, not the group", () => {
    expect(dependenciesOf(grouped, "end")).toEqual(["a", "b"]);
    expect(dependenciesOf(grouped, "b")).toEqual(["init"]);
    expect(dependentsOf(grouped, "init")).toEqual(["a", "b"]);
    expect(dependentsOf(grouped, "a")).toEqual(["end"]);
  });

  test("name a block as authors do", () => {
    expect(dependenciesOf(blocks, "last")).toEqual(["block"]);
    expect(dependenciesOf(blocks, "y")).toEqual(["x"]);
    expect(dependenciesOf(blocks, "x")).toEqual([]);
    expect(dependentsOf(blocks, "block")).toEqual(["h", "last"]);
  });

  test("of an unknown step are empty", () => {
    expect(dependenciesOf(diamond, "nope")).toEqual([]);
    expect(findStep(diamond, "nope")).toBeUndefined();
    expect(findStep(diamond, "d")).toBe(3);
  });
});

describe("ancestors", () => {
  test("are all steps before, members of blocks with their blocks", () => {
    expect(ancestorsOf(diamond, "d")).toEqual(["a", "b", "c"]);
    expect(ancestorsOf(blocks, "last")).toEqual(["a", "block", "x", "y", "z"]);
    expect(ancestorsOf(blocks, "y")).toEqual(["a", "x"]);
    expect(ancestorsOf(grouped, "end")).toEqual(["init", "a", "b"]);
  });

  test("of the lists beside `steps` are the lists that run before them", () => {
    expect(ancestorsOf(phased, "s")).toEqual(["a"]);
    expect(ancestorsOf(phased, "f")).toEqual(["a"]);
    expect(ancestorsOf(phased, "z2")).toEqual(["a", "s", "f", "z1"]);
    expect(ancestorsOf(phased, "a")).toEqual([]);
    expect(ancestorsOf(phased, "nope")).toEqual([]);
  });
});

const ready = (plan: Plan, ...completed: readonly string[]): readonly string[] => readySteps(plan, new Set(completed));

describe("ready steps", () => {
  test("are those whose dependencies have completed", () => {
    expect(ready(diamond)).toEqual(["a"]);
    expect(ready(diamond, "a")).toEqual(["b", "c"]);
    expect(ready(diamond, "a", "b")).toEqual(["c"]);
    expect(ready(diamond, "a", "b", "c")).toEqual(["d"]);
    expect(ready(diamond, "a", "b", "c", "d")).toEqual([]);
  });

  test("are the members of a group or block that may start", () => {
    expect(ready(grouped, "init")).toEqual(["a", "b"]);
    expect(ready(grouped, "init", "a")).toEqual(["b"]);
    expect(ready(grouped, "init", "a", "b")).toEqual(["end"]);
    expect(ready(blocks, "a")).toEqual(["x", "z"]);
    expect(ready(blocks, "a", "x")).toEqual(["y", "z"]);
  });

  test("take a block as completed with its members, or when it is named", () => {
    expect(ready(blocks, "a", "x", "y", "z")).toEqual(["last"]);
    expect(ready(blocks, "a", "block")).toContain("last");
  });

  test("never are those that wait for a failure", () => {
    expect(ready(blocks, "a", "x", "y", "z", "last")).toEqual([]);
    expect(ready(phased, "a")).toEqual(["s"]);
    expect(ready(phased, "a", "s")).toEqual(["z1"]);
    expect(ready(phased, "a", "s", "z1")).toEqual(["z2"]);
  });

  test("follow the join", () => {
    const joins = ["all", "settled", "any", "first", { quorum: 2 }, { quorum: 3 }];
    const starting = joins.filter((join) => {
      const plan = planOf([step("a"), needs("b"), needs("c"), step("d", { dependsOn: ["a", "b", "c"], join })]);
      return ready(plan, "a", "b").includes("d");
    });
    expect(starting).toEqual(["any", "first", { quorum: 2 }]);
  });
});

describe("layers", () => {
  test("put a step behind everything before it", () => {
    expect(layers(diamond)).toEqual([["a"], ["b", "c"], ["d"]]);
    expect(layers(planOf([step("a"), needs("b", "a"), needs("c", "a", "b"), needs("x")]))).toEqual([
      ["a", "x"],
      ["b"],
      ["c"],
    ]);
  });

  test("show the members of blocks and groups, not these", () => {
    expect(layers(grouped)).toEqual([["init"], ["a", "b"], ["end"]]);
    expect(layers(blocks)).toEqual([["a"], ["x", "z"], ["y"], ["h", "last"]]);
  });

  test("put the lists beside `steps` behind it", () => {
    expect(layers(phased)).toEqual([["a"], ["s"], ["f"], ["z1"], ["z2"]]);
  });
});

describe("edges", () => {
  test("have unique ids and their origin", () => {
    const plan = planOf([step("a", { parallel: true }), step("h", { dependsOn: ["a.error"] }), step("b")]);
    expect(edgesOf(plan)).toEqual([
      { id: "a->h", from: "a", to: "h", on: "failure", origin: "explicit", port: null },
      { id: "steps/group-1->b", from: "steps/group-1", to: "b", on: "order", origin: "group", port: null },
    ]);
  });
});

describe("the topological order", () => {
  test("keeps the order of definition among steps that nothing orders", () => {
    const plan = planOf({ mode: "graph", steps: [step("a"), needs("b", "a"), step("c"), needs("d", "e"), step("e")] });
    expect(topologicalOrder(plan).map((index) => plan.steps[index]!.id)).toEqual(["a", "b", "c", "e", "d"]);
  });

  test("lists a block before its members, and what follows the block after them", () => {
    const order = topologicalOrder(blocks).map((index) => blocks.steps[index]!.id);
    expect(order).toEqual(["a", "block", "x", "y", "z", "h", "last"]);
  });

  test("lists every step once, and each behind its sources", () => {
    const graphs = fc
      .integer({ min: 1, max: 30 })
      .chain((size) => fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1))).map((pairs) => ({ size, pairs })));
    fc.assert(
      fc.property(graphs, ({ size, pairs }) => {
        const sources = Array.from({ length: size }, () => new Set<string>());
        // Sources stand behind their targets in the file, which is the hard case for the order of definition.
        for (const [from, to] of pairs) if (from > to) sources[to]!.add(`s${from}`);
        const plan = planOf({ mode: "graph", steps: sources.map((set, index) => needs(`s${index}`, ...set)) });
        const order = topologicalOrder(plan);
        const place = new Map(order.map((index, at) => [index, at]));
        expect(place.size).toBe(size);
        for (const { from, to } of plan.edges) expect(place.get(from)).toBeLessThan(place.get(to)!);
        // A step stands as early as the rule allows: behind one of its sources, or behind a step defined before it.
        for (const [at, index] of order.entries()) {
          const before = order[at - 1];
          const follows = before === undefined || before < index || sources[index]!.has(`s${before}`);
          expect(follows).toBe(true);
        }
      }),
    );
  });
});
