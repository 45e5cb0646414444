import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDefinition } from "../definition/parse-definition.ts";
import { compile } from "./compile.ts";
import { criticalPath } from "./critical-path.ts";
import { layers, readySteps, topologicalOrder } from "./graph.ts";
import type { Plan } from "./plan.ts";
import { toAscii } from "./render/ascii.ts";
import { toDot } from "./render/dot.ts";
import { toJsonGraph } from "./render/json-graph.ts";
import { toMermaid } from "./render/mermaid.ts";

/** Most keys are absent from most steps, so that a good part of the workflows can be compiled. */
function seldom<T>(value: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

/** A step before it has an id: names of others are how far back they stand, in its list or in the whole workflow. */
interface Sketch {
  readonly keys: object;
  readonly dependsOn: readonly { readonly back: number; readonly on: string }[] | undefined;
  readonly reads: { readonly back: number; readonly member: string } | undefined;
  /** Anything at all, and mostly wrong. */
  readonly wild: number | undefined;
  readonly block: readonly Sketch[] | undefined;
}

const keys = fc.record({
  parallel: seldom(fc.constant(true), 4),
  parallelGroup: seldom(fc.integer({ min: 1, max: 2 }), 15),
  join: seldom(fc.constantFrom<unknown>("any", "first", "settled", { quorum: 1 }), 12),
  forEach: seldom(fc.constant([1, 2]), 5),
  rateLimit: seldom(fc.constant(2), 5),
  set: seldom(fc.constant({ key: "1" }), 5),
});

const { list } = fc.letrec<{ list: readonly Sketch[]; step: Sketch }>((tie) => ({
  list: fc.array(tie("step"), { minLength: 1, maxLength: 6, depthIdentifier: "blocks" }),
  step: fc.record({
    keys,
    dependsOn: seldom(
      fc.uniqueArray(
        fc.record({
          back: fc.integer({ min: 1, max: 4 }),
          on: fc.constantFrom("success", "success", "success", "failure", "settled"),
        }),
        { maxLength: 3, selector: ({ back }) => back },
      ),
      3,
    ),
    reads: seldom(
      fc.record({ back: fc.integer({ min: 1, max: 6 }), member: fc.constantFrom("output.x", "status", "error") }),
      6,
    ),
    wild: seldom(fc.nat(14), 40),
    block: fc.oneof(
      { depthIdentifier: "blocks", maxDepth: 2 },
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: tie("list") },
    ),
  }),
}));

const sketches = fc.record({ steps: list, onFailure: list, finally: list }, { requiredKeys: ["steps"] });

/** Writes sketches down as a file would have them: every step has the number of its place in the text as its id. */
function write(sketch: readonly Sketch[], next: { id: number }): object[] {
  const siblings: string[] = [];
  return sketch.map((step) => {
    const number = next.id++;
    const { dependsOn, reads, wild, block } = step;
    const entries = dependsOn?.flatMap(({ back, on }) => {
      const source = siblings[siblings.length - back];
      return source === undefined ? [] : [{ step: source, on }];
    });
    siblings.push(`s${number}`);
    const read = wild ?? (reads === undefined ? undefined : number - reads.back);
    const env = read === undefined || read < 0 ? {} : { X: `\${{ steps.s${read}.${reads?.member ?? "output"} }}` };
    const common = { id: `s${number}`, dependsOn: entries };
    if (block === undefined) return { ...common, ...step.keys, run: "true", env };
    return { ...common, parallel: { steps: write(block, next) } };
  });
}

function writeWorkflow(sketch: { readonly [list: string]: readonly Sketch[] }): object {
  const next = { id: 0 };
  return Object.fromEntries(Object.entries(sketch).map(([key, steps]) => [key, write(steps, next)]));
}

/** Whether an edge joins two steps of one list, or leaves a group the way that edges may. */
function isLegal(plan: Plan, { from, to, on }: Plan["edges"][number]): boolean {
  const source = plan.steps[from]!;
  const target = plan.steps[to]!;
  if (source.scope === target.scope) return true;
  const owner = plan.steps[plan.scopes[source.scope]!.owner];
  return owner?.hidden === true && owner.scope === target.scope && (on === "failure" || on === "settled");
}

test("whatever is written, there is either a sound plan or an error that says why not", () => {
  let plans = 0;
  const property = fc.property(sketches, (sketch) => {
    const { partial } = parseDefinition(writeWorkflow(sketch));
    const { plan, diagnostics } = compile(partial!);
    expect(plan === null).toBe(diagnostics.some(({ severity }) => severity === "error"));
    if (plan === null) return;
    plans += 1;
    const edges = plan.edges.filter((edge) => !isLegal(plan, edge));
    expect(edges).toEqual([]);
    expect(topologicalOrder(plan)).toHaveLength(plan.steps.length);
    const place = new Map(topologicalOrder(plan).map((step, at) => [step, at]));
    for (const { from, to } of plan.edges) expect(place.get(from)!).toBeLessThan(place.get(to)!);
    for (const { rank, hidden, kind } of plan.steps)
      expect(rank).toBeGreaterThanOrEqual(hidden || kind === "block" ? 0 : 1);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    const shown = toJsonGraph(plan).nodes.map(({ id }) => id);
    expect(layers(plan).flat().toSorted()).toEqual(shown.toSorted());
    expect(criticalPath(plan).ms).toBeLessThanOrEqual(shown.length);
    for (const draw of [toAscii, toMermaid, toDot]) for (const id of shown) expect(draw(plan)).toContain(id);
  });
  fc.assert(property, { numRuns: 400 });
  // A property that only ever sees errors would prove nothing.
  expect(plans).toBeGreaterThan(40);
});

test("completing what is ready, again and again, completes every step that no failure starts", () => {
  const property = fc.property(sketches, (sketch) => {
    const { partial } = parseDefinition(writeWorkflow(sketch));
    const { plan } = compile(partial!);
    if (plan === null) return;
    const completed = new Set<string>();
    for (let ready = readySteps(plan, completed); ready.length > 0; ready = readySteps(plan, completed)) {
      expect(ready.every((id) => !completed.has(id))).toBe(true);
      for (const id of ready) completed.add(id);
    }
    const handled = plan.edges.some(({ on }) => on === "failure");
    const isComplete = toJsonGraph(plan).nodes.every(
      ({ id, parent }) => completed.has(id) || parent === "run/onFailure",
    );
    const hasHooks = plan.phases.onFailure !== null;
    expect(handled || hasHooks || isComplete).toBe(true);
  });
  fc.assert(property, { numRuns: 200 });
});
