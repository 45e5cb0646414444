import { setTimeout as sleep } from "node:timers/promises";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

/** Code that runs until it is told to stop. */
class Endless {
  running = 0;
  readonly stoppedAt: number[] = [];

  readonly type: StepType = {
    name: "endless",
    run: ({ signal }) =>
      new Promise((_, reject) => {
        this.running += 1;
        signal.addEventListener("abort", () => {
          this.stoppedAt.push(performance.now());
          reject(signal.reason as Error);
        });
      }),
  };
}

const endless = define(
  "{name: endless, steps: [{id: a, dependsOn: [], type: endless}, {id: b, dependsOn: [], type: endless}]}",
);

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  let code: Endless;
  beforeEach(async () => {
    code = new Endless();
    await engines.next();
  });
  afterAll(() => engines.clear());

  async function eventually(what: () => boolean): Promise<void> {
    for (let tries = 0; tries < 500 && !what(); tries += 1) await sleep(10);
    expect(what()).toBe(true);
  }

  /** The options with which a store is named, and whether it hears of anything. */
  const ways = {
    "as the URL says": (): string => engines.url,
    "where nobody listens": (): string => `${engines.url}?listen=off`,
    "where only the worker's polls tell": (): string => `${engines.url}?listen=off&pooler=transaction`,
    "with a way past the pooler": (): string =>
      `${engines.url}?listen=${encodeURIComponent(engines.directUrl(server.directUrl))}`,
  };

  test.each(Object.keys(ways) as (keyof typeof ways)[])(
    "a cancel reaches the code on another worker within a second, %s",
    async (way) => {
      const store = ways[way]();
      const options = { store, types: [code.type], leaseMs: 15_000 };
      const [canceling, working] = (await engines.engines(2, options)) as [Engine, Engine];
      await working.work();
      const run = await canceling.start(endless);
      await eventually(() => code.running === 2);
      // The worker has settled down: it is not about to beat because its attempt has just begun.
      await sleep(100);
      const askedAt = performance.now();
      await canceling.cancel(run.id);
      await eventually(() => code.stoppedAt.length === 2);
      expect(Math.max(...code.stoppedAt) - askedAt).toBeLessThan(1_000);
      expect(await run.result()).toMatchObject({ status: "canceled" });
    },
  );

  test("a cancel is heard although the process that asked for it ends at once", async () => {
    const options = { store: ways["with a way past the pooler"](), types: [code.type], leaseMs: 15_000 };
    const [working, starting] = (await engines.engines(2, options)) as [Engine, Engine];
    await working.work();
    const runs = await starting.startMany(endless, [{}, {}]);
    await eventually(() => code.running === 4);
    await sleep(200);
    for (const run of runs) {
      const canceling = await engines.engine(options);
      const stopped = code.stoppedAt.length;
      const askedAt = performance.now();
      await canceling.cancel(run.id);
      await canceling.close();
      await eventually(() => code.stoppedAt.length === stopped + 2);
      expect(performance.now() - askedAt).toBeLessThan(1_000);
    }
  });

  test("a run that is canceled while its tasks wait in the queue is never started", async () => {
    const [canceling, working] = (await engines.engines(2, { types: [code.type] })) as [Engine, Engine];
    const runs = await canceling.startMany(endless, [{}, {}, {}]);
    await Promise.all(runs.map((run) => canceling.cancel(run.id)));
    const results = await Promise.all(runs.map((run) => run.result()));
    await working.work();
    await sleep(150);
    expect(results.map(({ status }) => status)).toEqual(["canceled", "canceled", "canceled"]);
    expect(code.running).toBe(0);
  });

  test("a cancel that meets the claims of workers leaves no attempt behind, whoever comes first", async () => {
    const all = await engines.engines(3, { types: [code.type] });
    await Promise.all(all.map((engine) => engine.work({ concurrency: 20 })));
    const runs = await all[0]!.startMany(
      endless,
      Array.from({ length: 10 }, () => ({})),
    );
    await Promise.all(
      runs.map(async (run, index) => {
        await sleep(index * 3);
        await all[index % 3]!.cancel(run.id);
      }),
    );
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["canceled"]));
    await eventually(() => code.stoppedAt.length === code.running);
    expect(await engines.scratch.query("select count(*) from steps where dispatch is not null")).toEqual([[0]]);
  });
});
