import { afterEach, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import { createMemoryStore } from "../store/memory.ts";
import { define } from "../testing/fixture.ts";
import { systemClock } from "./clock.ts";
import { createEngine } from "./create-engine.ts";
import { PlanCache } from "./plan-cache.ts";
import { RunCache } from "./run-cache.ts";
import { StoreTime } from "./store-time.ts";

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** A run in a store, whose reads are answered when the test says so, with what they found when they were made. */
async function scene(): Promise<{
  readonly cache: RunCache;
  readonly id: string;
  readonly change: () => Promise<number>;
  readonly answer: () => void;
}> {
  const store = createMemoryStore();
  const engine = await createEngine({ store });
  engines.push(engine);
  const { id } = await engine.start(define("steps: [{id: a, sleep: 1h}]"));
  const waiting: (() => void)[] = [];
  const slow = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (name !== "load" && name !== "loadNewer") return method;
      return async (...args: unknown[]) => {
        const found = await method(...args);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return found;
      };
    },
  });
  const plans = new PlanCache(store, systemClock);
  const cache = new RunCache({ store: slow, plans, time: new StoreTime(systemClock), mostRuns: 10 });
  return {
    cache,
    id,
    change: async () => {
      await engine.pause(id);
      return (await store.load(id))!.version;
    },
    answer: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a read that was under way is not given to whoever asks for a version that is newer than what it found", async () => {
  const { cache, id, change, answer } = await scene();
  const first = cache.get(id, 0);
  await turn();
  const version = await change();
  const second = cache.get(id, version);
  for (let times = 0; times < 5; times += 1) {
    await turn();
    answer();
  }
  await first;
  expect((await second)?.version).toBe(version);
  expect((await second)?.state.run.status).toBe("paused");
});

test("a version that a crash of the server has taken back is not waited for", async () => {
  const { cache, id, answer } = await scene();
  const loading = cache.get(id, 0);
  for (const wanted of [7, 8]) {
    const newer = cache.get(id, wanted);
    for (let times = 0; times < 5; times += 1) {
      await turn();
      answer();
    }
    expect((await newer)?.version).toBe((await loading)!.version);
  }
});
