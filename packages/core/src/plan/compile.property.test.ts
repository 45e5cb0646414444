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
  readonly keys: { readonly parallelGroup?: number | undefined };
  readonly dependsOn: readonly { readonly back: number; readonly on: string }[] | undefined;
  readonly reads: { readonly back: number; readonly member: string } | undefined;
  /** Anything at all, and mostly wrong. */
  readonly wild: number | undefined;
  readonly block: ListSketch | undefined;
}

/** `ordered` lists have no needs and `graph` lists no marks; `mixed` ones have both, and mostly are errors. */
interface ListSketch {
  readonly style: "ordered" | "graph" | "mixed";
  readonly steps: readonly Sketch[];
}

const stepKeys = fc.record({
  parallel: seldom(fc.constant(true), 4),
  parallelGroup: seldom(fc.integer({ min: 1, max: 2 }), 15),
  join: seldom(fc.constantFrom<unknown>("any", "first", "settled", { quorum: 1 }), 12),
  forEach: seldom(fc.constant([1, 2]), 5),
  rateLimit: seldom(fc.constant(2), 5),
  set: seldom(fc.constant({ key: "1" }), 5),
});

const { list } = fc.letrec<{ list: ListSketch; step: Sketch }>((tie) => ({
  list: fc.record({
    style: fc.constantFrom("ordered", "ordered", "ordered", "graph", "graph", "graph", "mixed"),
    steps: fc.array(tie("step"), { minLength: 1, maxLength: 6, depthIdentifier: "blocks" }),
  }),
  step: fc.record({
    keys: stepKeys,
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

const sketches = fc.record({ steps: list, onSuccess: list, finally: list }, { requiredKeys: ["steps"] });

/** Writes sketches down as a file would have them: every step has the number of its place in the text as its id. */
function write({ style, steps }: ListSketch, next: { id: number }): object[] {
  const siblings: string[] = [];
  return steps.map((step) => {
    const number = next.id++;
    const { reads, wild, block } = step;
    const dependsOn = writeDependencies(step, style, siblings);
    siblings.push(`s${number}`);
    const { parallelGroup, ...keys } = step.keys;
    const common = { id: `s${number}`, dependsOn, ...(style === "graph" ? keys : { ...keys, parallelGroup }) };
    if (block !== undefined) return { id: `s${number}`, dependsOn, parallel: { steps: write(block, next) } };
    const read = wild ?? (reads === undefined ? undefined : number - reads.back);
    const env = read === undefined || read < 0 ? {} : { X: `\${{ steps.s${read}.${reads?.member ?? "output"} }}` };
    return { ...common, run: "true", env };
  });
}

function writeDependencies(
  { dependsOn }: Sketch,
  style: ListSketch["style"],
  siblings: readonly string[],
): readonly object[] | undefined {
  const entries = (dependsOn ?? []).flatMap(({ back, on }) => {
    const step = siblings[siblings.length - back];
    return step === undefined || (style === "ordered" && on === "success") ? [] : [{ step, on }];
  });
  return style === "graph" || entries.length > 0 ? entries : undefined;
}

function writeWorkflow(sketch: { readonly [list: string]: ListSketch }): object {
  const next = { id: 0 };
  return Object.fromEntries(Object.entries(sketch).map(([key, written]) => [key, write(written, next)]));
}

/** Whether an edge joins two steps of one list, or leaves a group the way that edges may. */
function isLegal(plan: Plan, { from, to, on }: Plan["edges"][number]): boolean {
  const source = plan.steps[from]!;
  const target = plan.steps[to]!;
  if (source.scope === target.scope) return true;
  const owner = plan.steps[plan.scopes[source.scope]!.owner];
  return owner?.hidden === true && owner.scope === target.scope && (on === "failure" || on === "settled");
}

/** What is wrong with a plan, in words; empty when it is sound. */
function faultsOf(plan: Plan): readonly string[] {
  const faults: string[] = [];
  const order = topologicalOrder(plan);
  const place = new Map(order.map((step, at) => [step, at]));
  if (place.size !== plan.steps.length) faults.push("a cycle");
  for (const edge of plan.edges) {
    if (!isLegal(plan, edge)) faults.push(`edge ${edge.index} crosses lists`);
    if (place.get(edge.from)! >= place.get(edge.to)!) faults.push(`edge ${edge.index} leads back`);
  }
  for (const { id, rank, hidden, kind } of plan.steps) {
    if (rank < (hidden || kind === "block" ? 0 : 1)) faults.push(`rank of ${id}`);
  }
  const shown = toJsonGraph(plan).nodes.map(({ id }) => id);
  if (layers(plan).flat().toSorted().join() !== shown.toSorted().join()) faults.push("layers");
  if (criticalPath(plan).ms > shown.length) faults.push("critical path");
  for (const draw of [toAscii, toMermaid, toDot]) {
    const drawing = draw(plan);
    if (!shown.every((id) => drawing.includes(id))) faults.push(draw.name);
  }
  return faults;
}

test("whatever is written, there is either a sound plan or an error that says why not", () => {
  let plans = 0;
  const property = fc.property(sketches, (sketch) => {
    const { partial } = parseDefinition(writeWorkflow(sketch));
    const { plan, diagnostics } = compile(partial!);
    expect(plan === null).toBe(diagnostics.some(({ severity }) => severity === "error"));
    if (plan === null) return;
    plans += 1;
    expect(faultsOf(plan)).toEqual([]);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
  fc.assert(property, { numRuns: 200 });
  // A property that only ever sees errors would prove nothing.
  expect(plans).toBeGreaterThan(40);
}, 20_000);

test("completing what is ready, again and again, completes every step that no failure starts", () => {
  const property = fc.property(sketches, (sketch) => {
    const { partial } = parseDefinition(writeWorkflow(sketch));
    const { plan } = compile(partial!);
    if (plan === null || plan.edges.some(({ on }) => on === "failure")) return;
    const completed = new Set<string>();
    for (let ready = readySteps(plan, completed); ready.length > 0; ready = readySteps(plan, completed)) {
      for (const id of ready) completed.add(id);
    }
    expect([...completed].toSorted()).toEqual(layers(plan).flat().toSorted());
  });
  fc.assert(property, { numRuns: 200 });
}, 20_000);
