import { setTimeout as sleep } from "node:timers/promises";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Engine, EngineLimits } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

/** Handlers of all engines of a test, and how many of them were in their code at once, by what their input names. */
class Watch {
  readonly #now = new Map<string, number>();
  readonly most = new Map<string, number>();
  readonly startedAt: number[] = [];
  readonly byEngine = new Map<string, number>();

  typeFor(engine: string, name = "watched"): StepType {
    return {
      name,
      run: async ({ input }) => {
        const { group, ms } = input as { readonly group: string; readonly ms: number };
        this.startedAt.push(performance.now());
        this.byEngine.set(engine, (this.byEngine.get(engine) ?? 0) + 1);
        const now = (this.#now.get(group) ?? 0) + 1;
        this.#now.set(group, now);
        this.most.set(group, Math.max(now, this.most.get(group) ?? 0));
        await sleep(ms);
        this.#now.set(group, this.#now.get(group)! - 1);
        return { output: null };
      },
    };
  }
}

interface StepText {
  readonly group: string;
  readonly ms: number;
  readonly more?: string;
  readonly type?: string;
}

const step = (id: string, { group, ms, more = "", type = "watched" }: StepText): string =>
  `{id: ${id}, dependsOn: [], type: ${type}, with: {group: ${group}, ms: ${ms}}${more}}`;

const steps = (...all: readonly string[]) => define(`{name: limited, steps: [${all.join(", ")}]}`);

/** As many steps alike. */
const alike = (count: number, text: StepText) =>
  Array.from({ length: count }, (_, index) => step(`${text.group}${index}`, text));

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  let watch: Watch;
  beforeEach(async () => {
    watch = new Watch();
    await engines.next();
  });
  afterAll(() => engines.clear());

  async function working(count: number, limits: EngineLimits = {}): Promise<readonly Engine[]> {
    const all = await Promise.all(
      Array.from({ length: count }, (_, index) => {
        return engines.engine({ types: [watch.typeFor(`e${index}`), watch.typeFor(`e${index}`, "typed")], limits });
      }),
    );
    await Promise.all(all.map((engine) => engine.work({ concurrency: 4, resources: { cpu: 2 } })));
    return all;
  }

  test("a concurrency key holds over runs and workers, and keeps nobody behind it waiting", async () => {
    const all = await working(3);
    const more = ", concurrency: {key: 'db', max: 2}";
    const keyed = steps(...alike(4, { group: "keyed", ms: 15, more }));
    const free = steps(...alike(4, { group: "free", ms: 1 }));
    const runs = [...(await all[0]!.startMany(keyed, [{}, {}, {}])), await all[1]!.start(free)];
    const began = performance.now();
    await runs[3]!.result();
    const freeTook = performance.now() - began;
    await Promise.all(runs.map((run) => run.result()));
    const took = performance.now() - began;
    expect(watch.most.get("keyed")).toBe(2);
    expect(freeTook).toBeLessThan(took / 2);
    expect(watch.byEngine.size).toBeGreaterThan(1);
    // 12 attempts, two at a time: a place that is free again is taken at once, and not at the next poll.
    expect(took).toBeLessThan(1_500);
  });

  test("keys that expressions name are held apart from each other", async () => {
    const [first] = (await working(2)) as [Engine];
    const keyed = define(`
name: named
inputs: {tenant: {type: string}}
steps: [{id: a, type: watched, with: {group: "\${{ inputs.tenant }}", ms: 30}, concurrency: {key: "tenant-\${{ inputs.tenant }}", max: 1}}]
`);
    const tenants = ["red", "red", "red", "blue", "blue", "blue"];
    const runs = await first.startMany(
      keyed,
      tenants.map((tenant) => ({ input: { tenant } })),
    );
    await Promise.all(runs.map((run) => run.result()));
    expect([watch.most.get("red"), watch.most.get("blue")]).toEqual([1, 1]);
  });

  test("limits of a step type and of all attempts hold over workers", async () => {
    const [first] = (await working(3, { global: { max: 5 }, types: { typed: { max: 2 } } })) as [Engine];
    const both = steps(
      ...alike(6, { group: "typed", ms: 15, type: "typed" }),
      ...alike(10, { group: "plain", ms: 15 }),
    );
    await (await first.start(both, { overrides: { maxConcurrent: 50 } })).result();
    expect(watch.most.get("typed")).toBe(2);
    expect(watch.most.get("plain")!).toBeLessThanOrEqual(5);
  });

  test("a rate is kept over workers, to the millisecond at which tasks are claimed", async () => {
    const [first] = (await working(3, { types: { typed: { rate: { count: 1, perMs: 60 } } } })) as [Engine];
    const run = await first.start(steps(...alike(10, { group: "rated", ms: 1, type: "typed" })));
    await run.result();
    // Not the trace, whose instants never go back: one that is told late has that of what was told before.
    const rows = await engines.scratch.query("select claimed_at from steps order by claimed_at");
    const starts = rows.map(([at]) => at as number);
    const gaps = starts.slice(1).map((at, index) => at - starts[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(59);
    // Workers come when the rate opens, and not at their next poll.
    expect(starts.at(-1)! - starts[0]!).toBeLessThan(9 * 60 + 600);
  });

  test("resources of a worker are never given twice", async () => {
    const [first] = (await working(2)) as [Engine];
    const run = await first.start(steps(...alike(10, { group: "cpu", ms: 10, more: ", resources: {cpu: 1}" })));
    await run.result();
    expect(watch.most.get("cpu")!).toBeLessThanOrEqual(4);
    expect(watch.most.get("cpu")!).toBeGreaterThan(1);
  });

  test.each(["default", "other"])(
    "a place that is given back wakes a worker of another process whose task waits in queue `%s`, long before it polls",
    async (queue) => {
      const listen = server.isPooled ? `?listen=${encodeURIComponent(engines.directUrl(server.directUrl))}` : "";
      const open = (name: string) => engines.engine({ store: `${engines.url}${listen}`, types: [watch.typeFor(name)] });
      const [one, two] = [await open("one"), await open("two")];
      const keyed = ", concurrency: {key: 'db', max: 1}";
      await one.work({ concurrency: 1, queues: ["holding"] });
      const holding = await one.start(steps(step("hold", { group: "db", ms: 400, more: `${keyed}, queue: holding` })));
      await sleep(100);
      const waiting = await two.start(steps(step("wait", { group: "db", ms: 1, more: `${keyed}, queue: ${queue}` })));
      await two.work({ concurrency: 1, pollIntervalMs: 20_000, queues: [queue] });
      await sleep(100);
      await holding.result();
      const ended = performance.now();
      await waiting.result();
      expect(performance.now() - ended).toBeLessThan(500);
      expect(watch.most.get("db")).toBe(1);
    },
  );
});
