import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { chainPlan } from "../contract/plan.ts";
import type { LogLine } from "../records.ts";
import { appendLogs, readLogs, readTrace } from "./journal.ts";
import { migrate } from "./migrate.ts";
import { prune } from "./prune.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { insert, insertEnded, insertRun, insertStep, putScratchPlan } from "./scratch-rows.ts";
import { listWorkers, putWorker, removeWorker } from "./workers.ts";
import { durations, getRanks, getWorkflow, putRanks, putWorkflow } from "./workflows.ts";

function line(runId: string, text: string, fields: Partial<LogLine> = {}): LogLine {
  return { runId, step: 0, task: -1, attempt: 1, at: 5, stream: "stdout", text, ...fields };
}

/** What a server adds to the contract of stores: several clients at the same instant, and its own refusals. */
describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const { names } = scratch;
  beforeEach(async () => {
    await scratch.next();
    await migrate(scratch.open(), names, { apply: true });
    await putScratchPlan(scratch);
  });
  afterAll(() => scratch.remove());

  test("clients that put plans at once get one version for each plan, without gaps", async () => {
    const hashes = Array.from({ length: 24 }, (_, index) => `h${index % 8}`);
    const plan = chainPlan("flow", ["a"]);
    const links = hashes.map(() => scratch.open());
    await Promise.all(links.map((link) => getRanks(link, names, "none")));
    const put = hashes.map((hash, index) =>
      putWorkflow(links[index]!, names, { name: "flow", hash, definition: {}, plan }),
    );
    const versions = (await Promise.all(put)).map(({ version }) => version);
    const byHash = new Map(hashes.map((hash, index) => [hash, versions[index]]));
    expect(versions).toEqual(hashes.map((hash) => byHash.get(hash)));
    expect([...byHash.values()].toSorted((a, b) => a! - b!)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await getWorkflow(scratch.open(), names, { name: "flow" }))?.version).toBe(8);
    expect(await getWorkflow(scratch.open(), names, { name: "flow", version: 3 })).toMatchObject({ version: 3, plan });
    expect(await getWorkflow(scratch.open(), names, { name: "flow", version: 9 })).toBeNull();
  });

  test("refuses a definition that no store can keep, and a text that no column can", async () => {
    const plan = chainPlan("flow", ["a"]);
    const refused = { code: "store_not_storable" };
    const bad = { name: "flow", hash: "h", definition: "\0", plan };
    await expect(putWorkflow(scratch.open(), names, bad)).rejects.toMatchObject(refused);
    await expect(putWorkflow(scratch.open(), names, { ...bad, name: "a\0", definition: {} })).rejects.toMatchObject(
      refused,
    );
    expect(await getWorkflow(scratch.open(), names, { name: "flow" })).toBeNull();
  });

  test("gives back a definition with its keys in their order", async () => {
    const definition = { b: 1, a: { z: 1.5, y: [] } };
    await putWorkflow(scratch.open(), names, { name: "flow", hash: "h", definition, plan: chainPlan("flow", ["a"]) });
    const found = await getWorkflow(scratch.open(), names, { name: "flow" });
    expect(JSON.stringify(found?.definition)).toBe(JSON.stringify(definition));
    expect(Math.abs(found!.createdAt - Date.now())).toBeLessThan(60_000);
  });

  test("gives mean durations by step id over versions that number their steps differently", async () => {
    const plan = chainPlan("release", ["b", "a", "c"]);
    await putWorkflow(scratch.open(), names, { name: "release", hash: "hash-2", definition: {}, plan });
    for (const version of [1, 2]) {
      const run = await insertEnded(scratch, 9_000, { workflow_version: version });
      const row = { status: "completed", startedAt: 1_000, finishedAt: 1_000 + 100 * version } as const;
      await insertStep(scratch, run, { step: version - 1, row });
      await insertStep(scratch, run, { step: 2, task: 0, row });
    }
    expect(await durations(scratch.open(), names, "release")).toEqual({ a: 150 });
    expect(await durations(scratch.open(), names, "unknown")).toEqual({});
  });

  test("keeps the ranks of the first of several clients", async () => {
    const links = [1, 2, 3].map(() => scratch.open());
    await Promise.all(links.map((link, index) => putRanks(link, names, { id: "r", ranks: [index + 0.5] })));
    const ranks = await getRanks(scratch.open(), names, "r");
    expect([[0.5], [1.5], [2.5]]).toContainEqual(ranks);
    await putRanks(scratch.open(), names, { id: "r", ranks: [9] });
    expect(await getRanks(scratch.open(), names, "r")).toEqual(ranks);
  });

  test("keeps workers with the schemas they work on", async () => {
    const worker = {
      id: 'w"1',
      host: "h",
      pid: 7,
      startedAt: 1_000.5,
      name: "n",
      queues: ["a,b"],
      resources: { cpu: 2.5 },
    };
    await putWorker(scratch.open(), names, worker);
    await putWorker(scratch.open(), names, { ...worker, id: "W2", schemas: { oldest: 1, newest: 9 } });
    const listed = await listWorkers(scratch.open(), names);
    expect(listed.map(({ id }) => id)).toEqual(["W2", 'w"1']);
    expect(listed[1]).toEqual({ ...worker, startedAt: 1_000, seenAt: listed[1]!.seenAt });
    expect(await scratch.query("select oldest_schema, newest_schema from workers order by newest_schema")).toEqual([
      [2, 2],
      [1, 9],
    ]);
    await removeWorker(scratch.open(), names, "W2");
    expect(await listWorkers(scratch.open(), names)).toHaveLength(1);
  });

  test("keeps log lines of several runs in the order in which they were given, whatever they hold", async () => {
    const [one, two] = [await insertRun(scratch), await insertRun(scratch)];
    const texts = ["", "NULL", 'a "quoted", {braced} \\ line', "tab\tand\nbreak", "ä🙂", "a\0b\ud800"];
    const lines = texts.flatMap((text) => [line(one, text), line(two, `2${text}`)]);
    await appendLogs(scratch.open(), names, [
      ...lines,
      line("no-run", "x"),
      line("01900000-0000-7000-8000-ffffffffffff", "x"),
    ]);
    const kept = (await readLogs(scratch.open(), names, { runId: one })).map(({ text }) => text);
    expect(kept).toEqual([...texts.slice(0, -1), "a\uFFFDb\uFFFD"]);
    const last = await readLogs(scratch.open(), names, { runId: two, tail: true, limit: 2, step: 0, task: -1 });
    expect(last.map(({ text }) => text)).toEqual(["2ä🙂", "2a\uFFFDb\uFFFD"]);
    expect(await readLogs(scratch.open(), names, { runId: "no-run" })).toEqual([]);
    expect(await scratch.query("select count(*) from logs")).toEqual([[12]]);
  });

  test("leaves no log line of a run that is pruned at the same time", async () => {
    for (let round = 0; round < 20; round += 1) {
      const run = await insertEnded(scratch, 2_000);
      const lines = Array.from({ length: 50 }, (_, index) => line(run, String(index)));
      const [pruned] = await Promise.all([
        prune(scratch.open(), names, { keep: 0 }),
        appendLogs(scratch.open(), names, lines),
        appendLogs(scratch.open(), names, lines),
      ]);
      expect(pruned).toEqual([run]);
      expect(await scratch.query("select count(*) from logs")).toEqual([[0]]);
    }
  });

  test("reads a trace from the middle of a row", async () => {
    const run = await insertRun(scratch);
    for (const first of [1, 4, 7]) {
      const events = JSON.stringify([0, 1, 2].map((offset) => ["task.started", 0, -1, 1, offset]));
      await insert(scratch, "trace_events", {
        run_id: run,
        first_seq: first,
        last_seq: first + 2,
        at: first * 10,
        commit_id: "c",
        events,
      });
    }
    const read = async (after: number, limit: number) =>
      (await readTrace(scratch.open(), names, { runId: run, after, limit })).map(({ seq, at }) => [seq, at]);
    expect(await read(0, 2)).toEqual([
      [1, 10],
      [2, 11],
    ]);
    expect(await read(4, 3)).toEqual([
      [5, 41],
      [6, 42],
      [7, 70],
    ]);
    expect(await read(9, 3)).toEqual([]);
    expect(await readTrace(scratch.open(), names, { runId: "no-run", after: 0, limit: 1 })).toEqual([]);
  });
});
