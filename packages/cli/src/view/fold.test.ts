import type { StepStatus } from "@braid/core";
import { expect, test } from "vitest";
import { planOf } from "../testing/trace.ts";
import { foldRows } from "./fold.ts";
import { createRunView } from "./run-view.ts";
import type { NodeView } from "./run-view.ts";

/** Nodes `s0`, `s1`, … with these statuses; settled ones ended in the order of their numbers. */
function nodes(...statuses: readonly StepStatus[]): readonly NodeView[] {
  const steps = statuses.map((_, index) => `  - { id: s${index}, run: "true" }`).join("\n");
  const view = createRunView(planOf(`name: fold\nsteps:\n${steps}`));
  statuses.forEach((status, index) => {
    const node = view.nodes[index];
    if (node === undefined) return;
    node.status = status;
    if (status !== "pending" && status !== "running") node.finishedAt = index;
  });
  return view.nodes;
}

function shown(all: readonly NodeView[], budget: number): readonly string[] {
  return foldRows(all, budget).map((row) => (row.kind === "node" ? row.node.id : `${row.count} ${row.what}`));
}

const many = nodes(
  "completed",
  "failed",
  "completed",
  "skipped",
  "running",
  "running",
  "pending",
  "pending",
  "pending",
);

test.each([
  [9, ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]],
  [8, ["2 finished", "s1", "s3", "s4", "s5", "s6", "s7", "s8"]],
  [7, ["3 finished", "s1", "s4", "s5", "s6", "s7", "s8"]],
  [6, ["3 finished", "s1", "s4", "s5", "s6", "2 pending"]],
  [5, ["3 finished", "s1", "s4", "s5", "3 pending"]],
  [4, ["3 finished", "s1", "2 active", "3 pending"]],
  [3, ["4 finished", "2 active", "3 pending"]],
  [1, ["4 finished"]],
] as const)("in %i lines shows %j", (budget, rows) => {
  expect(shown(many, budget)).toEqual(rows);
});

test("shows one line where there is no room at all", () => {
  expect(shown(many, 0)).toHaveLength(1);
});

test("never takes more lines than it has, whatever the statuses", () => {
  const statuses: readonly StepStatus[] = ["completed", "failed", "running", "pending", "waiting"];
  for (let seed = 0; seed < 10; seed += 1) {
    const mix = Array.from(
      { length: 12 },
      (_, index) => statuses[(seed * 31 + index * (seed + 3)) % statuses.length] ?? "pending",
    );
    const all = nodes(...mix);
    for (let budget = 1; budget <= 12; budget += 1) expect(foldRows(all, budget).length).toBeLessThanOrEqual(budget);
  }
});
