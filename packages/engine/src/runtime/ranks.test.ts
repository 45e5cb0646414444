import { compile } from "@braid/core";
import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory.ts";
import { define } from "../testing/fixture.ts";
import { PlanInfo } from "./plan-info.ts";
import { RankSource, ranksOf } from "./ranks.ts";

const definition = define(`
steps:
  - {id: a, dependsOn: [], run: x}
  - {id: b, dependsOn: [a], run: x}
  - id: block
    dependsOn: [a]
    parallel:
      - {id: m, run: x}
      - {id: n, dependsOn: [m], run: x}
  - {id: end, dependsOn: [b, block], run: x}
`);

const plan = compile(definition).plan!;

test("a step's rank is the time on the longest path behind it, through blocks and out of them", () => {
  const durations: Record<string, number> = { a: 1, b: 10, m: 20, n: 300, end: 4_000 };
  const ranks = ranksOf(plan, (step) => durations[plan.steps[step]!.id] ?? 0);
  const byId = Object.fromEntries(plan.steps.map(({ id, index }) => [id, ranks[index]]));
  expect(byId).toMatchObject({ a: 4_321, b: 4_010, block: 4_320, m: 4_320, n: 4_300, end: 4_000 });
});

test("ranks are made once an hour from past durations, and a workflow without a past has none", async () => {
  const store = createMemoryStore();
  let asked = 0;
  store.durations = async () => {
    asked += 1;
    return { a: 5, end: 7 };
  };
  const info = new PlanInfo("w", 1, plan);
  const source = new RankSource(store);
  const first = await source.startEvent(info, 1_000);
  expect(first).toMatchObject({ type: "run.start", at: 1_000, ranksId: "w@1/0" });
  expect(await store.getRanks("w@1/0")).toEqual(first.ranks);
  await source.startEvent(info, 2_000);
  expect(asked).toBe(1);
  expect((await source.startEvent(info, 3_700_000)).ranksId).toBe("w@1/1");
  store.durations = async () => ({});
  expect(await source.startEvent(new PlanInfo("new", 1, plan), 1_000)).toEqual({ type: "run.start", at: 1_000 });
});
