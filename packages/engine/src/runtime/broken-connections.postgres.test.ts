import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "@braid/testbed";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { Engine, RunHandle } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

const quick: StepType = {
  name: "quick",
  async run() {
    await sleep(2);
    return { output: null };
  },
};

const chain = define(
  `{name: chain, steps: [${Array.from({ length: 10 }, (_, step) => `{id: s${step}, type: quick}`).join(", ")}]}`,
);

const wide = define(`
name: wide
parallel: {maxConcurrent: 8}
steps: [{id: all, forEach: ${JSON.stringify(Array.from({ length: 60 }, (_, item) => item))}, type: quick}]
`);

/** A commit: on direct connections it is known by its name, behind a pooler by its text. */
const isCommit = (bytes: Buffer): boolean =>
  ["\0commit\0", "\0commit_full\0", "last_commit_id = u.commit_id"].some((text) => bytes.includes(text));

/** Every third one, so that a commit is not repeated in vain again and again, with ever longer pauses. */
function everyThirdCommit(): (bytes: Buffer) => boolean {
  let commits = 0;
  return (bytes) => {
    if (!isCommit(bytes)) return false;
    commits += 1;
    return commits % 3 === 0;
  };
}

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  const { scratch } = engines;
  const proxies: TcpProxy[] = [];
  beforeEach(() => engines.next());
  afterEach(async () => {
    await engines.close();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });
  afterAll(() => engines.clear());

  async function workThroughProxy(): Promise<{ readonly engine: Engine; readonly proxy: TcpProxy }> {
    const proxy = await TcpProxy.start(engines.url);
    proxies.push(proxy);
    const engine = await engines.engine({ store: proxy.url(engines.url), types: [quick] });
    await engine.work();
    return { engine, proxy };
  }

  /** Every run has completed, its trace has no gap, and nothing in it was said twice. */
  async function checkRuns(engine: Engine, runs: readonly RunHandle[]): Promise<void> {
    for (const run of runs) {
      expect(await run.result()).toMatchObject({ status: "completed", failures: [] });
      const trace = await engine.store.readTrace(run.id, 0, 10_000);
      expect(trace.map(({ seq }) => seq)).toEqual(trace.map((_, index) => index + 1));
      const said = trace.map(({ type, step, task, attempt }) => `${type} ${step}/${task}/${attempt}`);
      expect(said.length).toBe(new Set(said).size);
    }
  }

  test.each(["cutAfter", "cutBefore"] as const)(
    "commits whose connection breaks (%s) are carried out once, by one worker",
    async (cut) => {
      const { engine, proxy } = await workThroughProxy();
      const rule = proxy[cut](everyThirdCommit(), 12);
      const runs = await engine.startMany(
        chain,
        Array.from({ length: 4 }, () => ({})),
      );
      await checkRuns(engine, runs);
      expect(rule.hits).toBeGreaterThan(1);
    },
  );

  test.each(["cutAfter", "cutBefore"] as const)(
    "commits whose connection breaks (%s) are carried out once, by two workers of one run",
    async (cut) => {
      const [first, second] = [await workThroughProxy(), await workThroughProxy()];
      const run = await first.engine.start(wide);
      const rules = [first.proxy[cut](everyThirdCommit(), 5), second.proxy[cut](everyThirdCommit(), 5)];
      await checkRuns(first.engine, [run]);
      expect(rules[0]!.hits + rules[1]!.hits).toBeGreaterThan(1);
    },
  );

  test("goes on when the server ends one connection after the other", async () => {
    const { engine } = await workThroughProxy();
    const runs = await engine.startMany(
      chain,
      Array.from({ length: 10 }, () => ({})),
    );
    let ended = 0;
    for (let round = 0; round < 10; round += 1) {
      const rows = await scratch.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         order by pid offset $1::integer % greatest(1, (select count(*) - 1 from pg_stat_activity where datname = current_database())) limit 1`,
        [round],
      );
      ended += rows.length;
      await sleep(20);
    }
    expect(ended).toBeGreaterThan(3);
    await checkRuns(engine, runs);
  });

  test("whoever waits for a result goes on waiting when a read gets no answer", async () => {
    const proxy = await TcpProxy.start(engines.url);
    proxies.push(proxy);
    const waiting = await engines.engine({ store: proxy.url(engines.url), types: [quick] });
    const working = await engines.engine({ types: [quick] });
    const run = await waiting.start(chain);
    const rule = proxy.cutBefore((bytes) => ["\0load\0", "p.meta"].some((text) => bytes.includes(text)), 3);
    const result = run.result();
    result.catch(() => {});
    await sleep(50);
    await working.work();
    expect(await result).toMatchObject({ status: "completed" });
    expect(rule.hits).toBeGreaterThan(0);
  });

  test("hears of new work again after the server has ended all of its connections", async () => {
    const listen = server.isPooled ? `?listen=${encodeURIComponent(directUrl())}` : "";
    const [starter, working] = (await engines.engines(2, { store: `${engines.url}${listen}`, types: [quick] })) as [
      Engine,
      Engine,
    ];
    await working.work({ pollIntervalMs: 60_000 });
    await sleep(100);
    await scratch.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await sleep(500);
    const began = performance.now();
    const run = await starter.start(chain);
    await run.result();
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  function directUrl(): string {
    const url = new URL(server.directUrl);
    url.pathname = scratch.database;
    return url.href;
  }
});
