import assert from "node:assert/strict";
import type { RunStatus } from "@braid/core";
import type { Store } from "../port.ts";
import type { LogLine } from "../records.ts";
import { finishedRun, idsOf, putPlan, startRun, stepRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { chainPlan } from "./plan.ts";
import { newId } from "./run-driver.ts";

const ended = (step: number, ms: number, task = -1): ReturnType<typeof stepRow> =>
  stepRow(step, { status: "completed", startedAt: 1_000, finishedAt: 1_000 + ms }, task);

/** Everything beside runs, and lists of them. */
export const recordClaims: readonly StoreClaim[] = [
  {
    claim: "gives the same version for the same hash, and the next one for another",
    check: async ({ store }) => {
      const plan = chainPlan("flow", ["a", "b"]);
      const put = (name: string, hash: string) => store.putWorkflow({ name, hash, definition: { hash }, plan });
      assert.deepEqual(await put("flow", "h1"), { version: 1 });
      assert.deepEqual(await put("flow", "h2"), { version: 2 });
      assert.deepEqual(await put("flow", "h1"), { version: 1 });
      assert.deepEqual(await put("other", "h1"), { version: 1 });
      const newest = await store.getWorkflow("flow");
      assert.equal(newest?.version, 2);
      assert.deepEqual(newest?.definition, { hash: "h2" });
      assert.deepEqual((await store.getWorkflow("flow", 1))?.plan, plan);
      assert.equal(await store.getWorkflow("flow", 3), null);
      assert.equal(await store.getWorkflow("unknown"), null);
    },
  },
  {
    claim: "lists runs newest first, filtered by workflow, status, parent and age",
    check: async ({ store }) => {
      await store.putWorkflow({ name: "other", hash: "h", definition: {}, plan: chainPlan("other", ["a", "b"]) });
      const first = await finishedRun(store, "completed", { finishedAt: 2_000 });
      const second = await startRun(store, { run: { workflow: "other" } });
      const parent = { runId: first.id, step: 0, task: -1, attempt: 1 };
      const third = await finishedRun(store, "failed", { finishedAt: 3_000, fields: { parent } });
      const list = async (filter: Partial<Parameters<Store["listRuns"]>[0]>) =>
        idsOf(await store.listRuns({ limit: 100, ...filter }));
      assert.deepEqual(await list({}), [third.id, second.id, first.id]);
      assert.deepEqual(await list({ limit: 2 }), [third.id, second.id]);
      assert.deepEqual(await list({ before: third.id, limit: 1 }), [second.id]);
      assert.deepEqual(await list({ workflow: "other" }), [second.id]);
      assert.deepEqual(await list({ status: ["completed", "failed"] }), [third.id, first.id]);
      assert.deepEqual(await list({ status: [] }), []);
      assert.deepEqual(await list({ parent: first.id }), [third.id]);
      const [summary] = await store.listRuns({ limit: 1 });
      assert.deepEqual(summary?.run, third.row);
      assert.equal(summary?.workflowVersion, 1);
    },
  },
  {
    claim: "keeps log lines in order and reads the first or the last of them, of a run, a step or a task",
    check: async ({ store }) => {
      const run = await startRun(store);
      const line = (step: number, task: number, text: string): LogLine => {
        return { runId: run.id, step, task, attempt: 1, at: 5, stream: "stdout", text };
      };
      await store.appendLogs([]);
      await store.appendLogs([line(0, -1, "one"), line(1, 0, "two")]);
      await store.appendLogs([line(1, 1, "three"), line(0, -1, "four"), { ...line(0, -1, "x"), runId: newId() }]);
      const texts = async (filter: Partial<Parameters<Store["readLogs"]>[0]>) =>
        (await store.readLogs({ runId: run.id, ...filter })).map(({ text }) => text);
      assert.deepEqual(await texts({}), ["one", "two", "three", "four"]);
      assert.deepEqual(await texts({ limit: 2 }), ["one", "two"]);
      assert.deepEqual(await texts({ limit: 2, tail: true }), ["three", "four"]);
      assert.deepEqual(await texts({ step: 1 }), ["two", "three"]);
      assert.deepEqual(await texts({ step: 1, task: 1 }), ["three"]);
      assert.deepEqual((await store.readLogs({ runId: run.id, limit: 1 }))[0], line(0, -1, "one"));
    },
  },
  {
    claim: "replaces what no store can keep in a log line, instead of refusing it",
    check: async ({ store }) => {
      const run = await startRun(store);
      const text = "a\0b\ud800c ü 🙂";
      await store.appendLogs([{ runId: run.id, step: 0, task: -1, attempt: 1, at: 5, stream: "stderr", text }]);
      const [line] = await store.readLogs({ runId: run.id });
      assert.equal(line?.text, "a\uFFFDb\uFFFDc ü 🙂");
    },
  },
  {
    claim: "lists workers with the time they were last seen, until they are removed",
    check: async ({ store, advance }) => {
      const queues = ["default", "gpu"];
      const worker = { id: "w1", host: "h", pid: 7, startedAt: 1_000, name: "n", queues, resources: { cpu: 1.5 } };
      await store.putWorker(worker);
      const [first] = await store.listWorkers();
      await advance(500);
      await store.putWorker({ ...worker, queues: [], resources: {} });
      const [second] = await store.listWorkers();
      assert.deepEqual(first, { ...worker, seenAt: first!.seenAt });
      assert.deepEqual(second, { ...worker, queues: [], resources: {}, seenAt: second!.seenAt });
      assert.ok(second.seenAt >= first.seenAt + 500);
      await store.removeWorker("w1");
      await store.removeWorker("w1");
      assert.deepEqual(await store.listWorkers(), []);
    },
  },
  {
    claim: "keeps ranks as they were first written",
    check: async ({ store }) => {
      await store.putRanks("r1", [3.5, 2, 0]);
      await store.putRanks("r1", [9]);
      assert.deepEqual(await store.getRanks("r1"), [3.5, 2, 0]);
      assert.equal(await store.getRanks("r2"), null);
    },
  },
  {
    claim: "gives the mean duration of each step over completed runs, by step id",
    check: async ({ store }) => {
      const plan = chainPlan("release", ["test", "build"]);
      await putPlan(store);
      await store.putWorkflow({ name: "release", hash: "hash-2", definition: {}, plan });
      const played: readonly (readonly [number, RunStatus, ReturnType<typeof ended>[]])[] = [
        [1, "completed", [ended(0, 100), ended(1, 40), ended(1, 7_000, 0), stepRow(2)]],
        [2, "completed", [ended(0, 60), ended(1, 300)]],
        [1, "failed", [ended(0, 9_000)]],
      ];
      for (const [workflowVersion, status, steps] of played) {
        const run = await finishedRun(store, status, { finishedAt: 20_000, fields: { workflowVersion } });
        await run.commit({ steps });
      }
      assert.deepEqual(await store.durations("release"), { build: 200, test: 50 });
      assert.deepEqual(await store.durations("unknown"), {});
    },
  },
];
