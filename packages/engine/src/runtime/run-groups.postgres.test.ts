import { setTimeout as sleep } from "node:timers/promises";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Engine, RunHandle } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { isBraidError } from "../errors.ts";
import { ScratchEngines } from "./scratch-engines.ts";

/** How many runs were under way at once, as their own code sees it. */
class Under {
  readonly #runs = new Set<string>();
  most = 0;

  readonly type: StepType = {
    name: "under",
    run: async ({ runId, signal }) => {
      this.#runs.add(runId);
      this.most = Math.max(this.most, this.#runs.size);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 8);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      });
      this.#runs.delete(runId);
      if (signal.aborted) throw signal.reason as Error;
      return { output: null };
    },
  };
}

const grouped = (max: number, onConflict: string) =>
  define(
    `{name: grouped, concurrency: {group: g, max: ${max}, onConflict: ${onConflict}}, steps: [{id: a, type: under}, {id: b, type: under}]}`,
  );

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  let under: Under;
  let all: readonly Engine[];
  beforeEach(async () => {
    under = new Under();
    await engines.next();
    all = await engines.engines(3, { types: [under.type] });
    await Promise.all(all.map((engine) => engine.work({ concurrency: 8 })));
  });
  afterAll(() => engines.clear());

  /** Starts twenty runs at once, by all engines; those that are refused are left out. */
  async function startTwenty(max: number, onConflict: string): Promise<readonly RunHandle[]> {
    const definition = grouped(max, onConflict);
    const started = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => all[index % 3]!.start(definition)),
    );
    return started.flatMap((outcome) => {
      if (outcome.status === "fulfilled") return [outcome.value];
      expect(isBraidError(outcome.reason) && outcome.reason.code).toBe("concurrency_conflict");
      return [];
    });
  }

  /** Places of the runs in their group, in the order in which they started. */
  async function placesByStart(): Promise<readonly number[]> {
    const rows = await engines.scratch.query("select group_place from runs order by started_at, group_place");
    return rows.map(([place]) => place as number);
  }

  test.each([1, 2])(
    "a group of %i lets the others wait, starts them in the order of their places, and forgets none",
    async (max) => {
      const runs = await startTwenty(max, "queue");
      const results = await Promise.all(runs.map((run) => run.result()));
      expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => "completed"));
      expect(under.most).toBe(max);
      // Those that may be under way together may start in any order.
      const moved = (await placesByStart()).map((place, index) => Math.abs(place - 1 - index));
      expect(Math.max(...moved)).toBeLessThan(max);
    },
  );

  test.each([1, 2])(
    "a group of %i that cancels those before ends with the last, and never has more under way",
    async (max) => {
      const runs = await startTwenty(max, "cancelRunning");
      const results = await Promise.all(runs.map((run) => run.result()));
      const completed = results.filter(({ status }) => status === "completed");
      expect(completed.length + results.filter(({ status }) => status === "canceled").length).toBe(20);
      expect(under.most).toBeLessThanOrEqual(max);
      const [[last]] = (await engines.scratch.query("select id from runs order by group_place desc limit 1")) as [
        [string],
      ];
      expect(completed.map(({ runId }) => runId)).toContain(last);
    },
  );

  test.each([1, 2])("a group of %i that refuses the others lets those go on that it has taken", async (max) => {
    const runs = await startTwenty(max, "reject");
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.length).toBeGreaterThanOrEqual(max);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expect(under.most).toBeLessThanOrEqual(max);
    const open = async () => (await engines.scratch.query("select from runs where finished_at is null")).length;
    for (let tries = 0; tries < 100 && (await open()) > 0; tries += 1) await sleep(10);
    expect(await open()).toBe(0);
  });

  test("a run that waits in another process starts as soon as the one before it has ended", async () => {
    const [first, second] = all as [Engine, Engine];
    const running = await first.start(grouped(1, "queue"));
    const waiting = await second.start(grouped(1, "queue"));
    const { steps } = await running.result();
    const result = await waiting.result();
    const waited = Date.parse(result.steps["a"]!.startedAt!) - Date.parse(steps["b"]!.finishedAt!);
    expect(waited).toBeLessThan(500);
  });
});
