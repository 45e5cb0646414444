import { setTimeout as sleep } from "node:timers/promises";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

/** Lasts as long as its input says. */
const lasting: StepType = {
  name: "lasting",
  async run({ input }) {
    await sleep((input as { ms: number }).ms);
    return { output: null };
  },
};

/** A run of many tasks, `cap` of them at a time. */
const bigRun = ({ tasks, cap, ms }: { readonly tasks: number; readonly cap: number; readonly ms: number }) =>
  define(`
name: big
parallel: {maxConcurrent: ${cap}}
steps: [{id: all, forEach: ${JSON.stringify(Array.from({ length: tasks }, (_, index) => index))}, type: lasting, with: {ms: ${ms}}}]
`);

const smallRun = define(
  "{name: small, steps: [{id: a, type: lasting, with: {ms: 1}}, {id: b, type: lasting, with: {ms: 1}}]}",
);

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  beforeEach(() => engines.next());
  afterAll(() => engines.clear());

  const completedOf = async (engine: Engine, runId: string): Promise<number | undefined> =>
    (await engine.inspect(runId))?.steps["all"]?.counts?.completed;

  test("twenty small runs end long before a run of 5,000 tasks that two workers were busy with", async () => {
    const [starter, ...working] = (await engines.engines(3, { types: [lasting] })) as [Engine, Engine, Engine];
    await Promise.all(working.map((each) => each.work({ concurrency: 10 })));
    const big = await starter.start(bigRun({ tasks: 5_000, cap: 40, ms: 4 }));
    await sleep(200);
    const small = await starter.startMany(
      smallRun,
      Array.from({ length: 20 }, () => ({})),
    );
    await Promise.all(small.map((run) => run.result()));
    expect(await completedOf(starter, big.id)).toBeLessThan(2_500);
  });

  test("a worker whose places are all taken by one run still hears of runs that others start", async () => {
    const [starter, working] = (await engines.engines(2, { types: [lasting] })) as [Engine, Engine];
    await working.work({ concurrency: 1 });
    const big = await working.start(bigRun({ tasks: 200, cap: 1, ms: 20 }));
    await sleep(100);
    const small = await starter.start(smallRun);
    await small.result();
    expect(await completedOf(starter, big.id)).toBeLessThan(100);
  });

  test("tasks of a run with a higher priority are taken before those that have waited longer", async () => {
    const [starter, working] = (await engines.engines(2, { types: [lasting] })) as [Engine, Engine];
    const low = await starter.startMany(
      smallRun,
      Array.from({ length: 30 }, () => ({ priority: 1 })),
    );
    const high = await starter.startMany(
      smallRun,
      Array.from({ length: 5 }, () => ({ priority: 2 })),
    );
    await working.work({ concurrency: 1 });
    const results = await Promise.all([...high, ...low].map((run) => run.result()));
    const ends = results.map(({ steps }) => Date.parse(steps["b"]!.finishedAt!));
    const lastHigh = Math.max(...ends.slice(0, 5));
    // One low task may be on its way while the next steps of the others are being queued.
    expect(ends.slice(5).filter((end) => end < lastHigh).length).toBeLessThanOrEqual(1);
  });
});
