import { describe, expect, test } from "vitest";
import type { Definition, StepDefinition } from "../definition/model.ts";
import { compile } from "./compile.ts";
import { MAX_BLOCK_DEPTH, MAX_STEPS } from "./limits.ts";
import { define } from "./testing/plans.ts";

const base = define([{ id: "x", run: "true" }]);

const plain = (id: string, more: Partial<StepDefinition> = {}): StepDefinition => ({
  id,
  name: id,
  action: { kind: "none" },
  env: {},
  at: "/steps/0",
  ...more,
});

const codes = (definition: Definition): readonly string[] => compile(definition).diagnostics.map(({ code }) => code);

const nest = (depth: number): StepDefinition => {
  let inner = plain("leaf");
  for (let level = 0; level < depth; level += 1) {
    inner = plain(`b${level}`, { action: { kind: "parallel", block: { steps: [inner] } } });
  }
  return inner;
};

describe("limits", () => {
  test("hold for the number of steps", () => {
    const steps = Array.from({ length: MAX_STEPS + 1 }, (_, index) => plain(`s${index}`));
    expect(codes({ ...base, steps })).toEqual(["limit_exceeded"]);
  }, 15_000);

  test("hold for the number of edges", () => {
    const at = "/steps/0";
    const half = 1001;
    const dependsOn = Array.from({ length: half }, (_, index) => ({ ref: `s${index}`, on: "success" as const, at }));
    const steps = Array.from({ length: 2 * half }, (_, index) =>
      plain(`s${index}`, { dependsOn: index < half ? [] : dependsOn }),
    );
    expect(codes({ ...base, steps })).toEqual(["limit_exceeded"]);
  });

  test("hold for the depth of blocks", () => {
    expect(codes({ ...base, steps: [nest(MAX_BLOCK_DEPTH)] })).toEqual([]);
    expect(codes({ ...base, steps: [nest(MAX_BLOCK_DEPTH + 1)] })).toEqual(["limit_exceeded"]);
    expect(codes({ ...base, steps: [nest(20_000)] })).toEqual(["limit_exceeded"]);
  });

  test("leave room for 10,000 steps with 50,000 edges", () => {
    const at = "/steps/0";
    const steps = Array.from({ length: 10_000 }, (_, index) => {
      const sources = new Set(
        [1, 7, 50, 333, 1000].map((distance) => index - distance).filter((source) => source >= 0),
      );
      const dependsOn = [...sources].map((source) => ({ ref: `s${source}`, on: "success" as const, at }));
      return plain(`s${index}`, { dependsOn, env: { X: `\${{ steps.s${Math.floor(index / 2)}.output }}` } });
    }).slice(1);
    const { plan, diagnostics } = compile({ ...base, steps: [plain("s0", { dependsOn: [] }), ...steps] });
    expect(diagnostics).toEqual([]);
    expect(plan!.edges.length).toBeGreaterThan(48_000);
    expect(plan!.steps[0]!.rank).toBe(10_000);
    // A generous bound for a busy machine; how long it takes is the business of a benchmark.
  }, 15_000);
});
