import { expect, test } from "vitest";
import type { BlockDefinition, StepDefinition } from "./model.ts";
import { normalize } from "./normalize.ts";

const member = { id: "m", run: "x" };

function readBlock(step: object): {
  readonly step: StepDefinition | undefined;
  readonly block: BlockDefinition | undefined;
} {
  const { definition, diagnostics } = normalize({ steps: [step] });
  expect(diagnostics).toEqual([]);
  const first = definition?.steps[0];
  return { step: first, block: first?.action.kind === "parallel" ? first.action.block : undefined };
}

function problems(step: object): readonly string[] {
  return normalize({ steps: [step] }).diagnostics.map(({ code, path }) => `${code} ${path}`);
}

test("a block has its limits, its mode and its members", () => {
  const written = {
    name: "all",
    steps: [member],
    on_failure: "complete_running",
    timeout: 600,
    max_concurrent: 2,
    rate_limit: 5,
  };
  const { step, block } = readBlock({ parallel: written });
  expect(step).toMatchObject({ id: "all", name: "all" });
  expect(block).toMatchObject({
    mode: "complete_running",
    timeout: 600_000,
    maxConcurrent: 2,
    rateLimit: { count: 5, perMs: 1000, burst: 1 },
  });
  expect(block?.steps).toMatchObject([{ id: "m", at: "/steps/0/parallel/steps/0" }]);
});

test("a list of steps is a block with defaults", () => {
  const { step, block } = readBlock({ id: "b", parallel: [member] });
  expect(block).toEqual({
    steps: [{ id: "m", name: "m", action: { kind: "run", run: "x" }, env: {}, at: "/steps/0/parallel/0" }],
  });
  expect(step).not.toHaveProperty("mark");
});

test.each<[object, string, string]>([
  [{ id: "outer", parallel: { name: "Inner", steps: [member] } }, "outer", "Inner"],
  [{ name: "Outer one", parallel: { name: "Inner", steps: [member] } }, "outer-one", "Outer one"],
  [{ parallel: { name: "Inner one", steps: [member] } }, "inner-one", "Inner one"],
  [{ parallel: [member] }, "parallel-1", "parallel-1"],
])("%j is found under its id and name", (written, id, name) => {
  expect(readBlock(written).step).toMatchObject({ id, name });
});

test("what a block takes may stand beside it", () => {
  const { step, block } = readBlock({
    id: "b",
    parallel: [member],
    timeout: 5,
    maxConcurrent: 2,
    rateLimit: 1,
    when: "x",
    whenUnmet: "fail",
    dependsOn: [],
    join: "any",
    on_failure: "continue",
    priority: 3,
  });
  expect(block).toMatchObject({ timeout: 5000, maxConcurrent: 2, rateLimit: { count: 1 } });
  expect(step).toMatchObject({ when: "x", whenUnmet: "fail", dependsOn: [], onError: "continue", priority: 3 });
  expect(step).not.toHaveProperty("timeout");
  expect(step).not.toHaveProperty("rateLimit");
});

test("blocks nest", () => {
  const { block } = readBlock({ id: "b", parallel: { steps: [{ id: "c", parallel: [member] }] } });
  expect(block?.steps[0]?.action).toMatchObject({ kind: "parallel", block: { steps: [{ id: "m" }] } });
});

test("a block may stand in an order group", () => {
  expect(readBlock({ id: "b", parallel: [member], parallelGroup: 2 }).step?.mark).toBe(2);
});

test.each(["retry", "retries", "deadline", "forEach"])("`%s` at a block hints at a child workflow", (key) => {
  const value = key === "forEach" ? [1] : 1;
  const [diagnostic, ...others] = normalize({ steps: [{ id: "b", parallel: [member], [key]: value }] }).diagnostics;
  expect(others).toEqual([]);
  expect(diagnostic).toMatchObject({ code: "conflicting_keys", path: `/steps/0/${key}` });
  expect(diagnostic?.hint).toContain("workflow");
});

test.each<[object, readonly string[]]>([
  [{ parallel: [] }, ["missing_value /steps/0/parallel"]],
  [{ parallel: { steps: [] } }, ["missing_value /steps/0/parallel/steps"]],
  [{ parallel: {} }, ["missing_value /steps/0/parallel"]],
  [{ parallel: { steps: null } }, ["invalid_value /steps/0/parallel/steps"]],
  [{ parallel: [member], env: { A: 1 } }, ["conflicting_keys /steps/0/env"]],
  [{ parallel: [member], queue: "q" }, ["conflicting_keys /steps/0/queue"]],
  [{ parallel: [member], params: {} }, ["conflicting_keys /steps/0/params"]],
  [{ parallel: { steps: [member], timeout: 1 }, timeout_ms: 5 }, ["conflicting_keys /steps/0/timeout_ms"]],
  [{ parallel: { steps: [member], onFailure: "skip" } }, ["invalid_value /steps/0/parallel/onFailure"]],
  [{ parallel: { steps: [member], failFast: true } }, ["unknown_key /steps/0/parallel/failFast"]],
  [{ parallel: 5, run: "x" }, ["invalid_value /steps/0/parallel"]],
])("%j is refused", (written, expected) => {
  expect(problems({ id: "b", ...written })).toEqual(expected);
});
