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

const MAX_ID = 14;

const ids = fc.nat(MAX_ID).map((number) => `s${number}`);
const dependencies = fc.array(
  fc.oneof(ids, fc.record({ step: ids, on: fc.constantFrom("success", "failure", "settled") })),
  { maxLength: 3 },
);
const expressions = fc
  .tuple(ids, fc.constantFrom("output", "output.x", "status", "error"))
  .map(([id, member]) => ({ VALUE: `\${{ steps.${id}.${member} }}` }));

/** Most keys are absent from most steps, so that a good part of the workflows can be compiled. */
function seldom<T>(value: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

const workflows = fc.letrec<{ list: object[]; step: object }>((tie) => ({
  list: fc.array(tie("step"), { minLength: 1, maxLength: 6, depthIdentifier: "blocks" }),
  step: fc.oneof(
    { depthIdentifier: "blocks", maxDepth: 2 },
    fc.record(
      {
        run: fc.constant("true"),
        dependsOn: seldom(dependencies, 5),
        parallel: seldom(fc.constant(true), 3),
        parallelGroup: seldom(fc.nat(2), 8),
        join: seldom(fc.constantFrom<unknown>("any", "first", "settled", { quorum: 1 }), 8),
        forEach: seldom(fc.constant([1, 2]), 4),
        rateLimit: seldom(fc.constant(2), 5),
        set: seldom(fc.constant({ key: "1" }), 4),
        env: seldom(expressions, 6),
      },
      { requiredKeys: ["run"] },
    ),
    fc.record({ parallel: fc.record({ steps: tie("list") }), dependsOn: seldom(dependencies, 5) }),
  ),
}));

const written = fc.record(
  { steps: workflows.list, onFailure: workflows.list, finally: workflows.list },
  { requiredKeys: ["steps"] },
);

/** Gives every step an id of its own, blocks included, in the order in which they stand. */
function numbered(value: unknown, next: { id: number }): unknown {
  if (Array.isArray(value)) return value.map((item) => numbered(item, next));
  if (typeof value !== "object" || value === null) return value;
  const isStep = "run" in value || ("parallel" in value && typeof value.parallel === "object");
  const id = isStep ? { id: `s${next.id++}` } : {};
  const members = Object.entries(value).map(([key, member]) => {
    const isList = key === "steps" || key === "parallel" || key === "onFailure" || key === "finally";
    return [key, isList ? numbered(member, next) : member];
  });
  return { ...id, ...Object.fromEntries(members) };
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
  const property = fc.property(written, (workflow) => {
    const { partial } = parseDefinition(numbered(workflow, { id: 0 }));
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
  const property = fc.property(written, (workflow) => {
    const { partial } = parseDefinition(numbered(workflow, { id: 0 }));
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
