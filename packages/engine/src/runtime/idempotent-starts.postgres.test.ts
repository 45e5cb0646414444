import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

const noted: StepType = {
  name: "noted",
  run: async ({ input }) => ({ output: input }),
};

const definition = define(`
name: keyed
inputs: {n: {type: number}}
steps: [{id: a, type: noted, with: {n: "\${{ inputs.n }}"}}]
`);

const numbers = Array.from({ length: 50 }, (_, n) => n);

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  beforeEach(() => engines.next());
  afterAll(() => engines.clear());

  const options = (n: number, input = n) => ({ idempotencyKey: `key-${n}`, input: { n: input } });

  test("several engines that start the same runs at once make each once, and give everybody the same ones", async () => {
    const all = await engines.engines(4, { types: [noted] });
    const shuffled = all.map((_, index) =>
      numbers.toSorted((a, b) => ((a * 7 + index * 13) % 50) - ((b * 7 + index * 13) % 50)),
    );
    const started = await Promise.all(
      all.map((engine, index) =>
        engine.startMany(
          definition,
          shuffled[index]!.map((n) => options(n)),
        ),
      ),
    );
    const idsOf = started.map((runs, index) => {
      const byNumber = new Map(runs.map(({ id }, place) => [shuffled[index]![place]!, id]));
      return numbers.map((n) => byNumber.get(n));
    });
    for (const ids of idsOf) expect(ids).toEqual(idsOf[0]);
    expect(await engines.scratch.query("select count(*) from runs")).toEqual([[50]]);
    await all[0]!.work({ concurrency: 50 });
    const results = await Promise.all(started[3]!.map((run) => run.result()));
    expect(results.map(({ output, steps }) => [output, steps["a"]!.output])).toEqual(
      shuffled[3]!.map((n) => [null, { n }]),
    );
  });

  test("the same key with another input is a conflict that names the run, whoever came first", async () => {
    const all = await engines.engines(3, { types: [noted] });
    const outcomes = await Promise.allSettled(all.map((engine, index) => engine.start(definition, options(1, index))));
    const winner = outcomes.find((outcome) => outcome.status === "fulfilled");
    const losers = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(losers).toHaveLength(2);
    for (const { reason } of losers) {
      expect(reason).toMatchObject({ code: "idempotency_conflict", details: { runId: winner!.value.id } });
    }
  });

  test("a key in a list of new ones, or twice in one list, gives its run and spoils nothing", async () => {
    const [first, second] = await engines.engines(2, { types: [noted] });
    const [known] = await first!.startMany(definition, [options(7)]);
    const runs = await second!.startMany(definition, [
      options(1),
      options(7),
      options(2),
      options(1),
      { input: { n: 9 } },
    ]);
    expect(runs[1]!.id).toBe(known!.id);
    expect(runs[3]!.id).toBe(runs[0]!.id);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(4);
    expect(await engines.scratch.query("select count(*) from runs")).toEqual([[4]]);
    await second!.work();
    for (const run of runs) expect(await run.result()).toMatchObject({ status: "completed" });
  });
});
