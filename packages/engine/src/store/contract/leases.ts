import assert from "node:assert/strict";
import type { ClaimedTask } from "../claims.ts";
import { claimAs, claimOne, completion, enqueued, leaseOf, queuedRow, queueSteps } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";

/** How long a worker keeps a task, and what becomes of it afterwards. */
export const leaseClaims: readonly StoreClaim[] = [
  {
    claim: "renews a lease, and says which attempts were asked to stop and which leases are gone",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store, 3);
      const { tasks } = await claimAs(store, "w1");
      const [first, second, third] = tasks as [ClaimedTask, ClaimedTask, ClaimedTask];
      await run.commit({
        ...completion(third),
        cancels: [{ step: 1, task: -1, attempt: 1, cause: "deadline", ifQueued: false }],
      });
      await advance(10_000);
      const leases = [leaseOf(first), leaseOf(second), leaseOf(third), { ...leaseOf(first), token: "other" }];
      const answer = await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases });
      assert.deepEqual(answer.leases, [
        { kind: "renewed", stopCause: null },
        { kind: "renewed", stopCause: "deadline" },
        { kind: "lost" },
        { kind: "lost" },
      ]);
      await advance(10_000);
      assert.deepEqual((await store.sweep({ limit: 10 })).lost, []);
      await advance(5_000);
      assert.equal((await store.sweep({ limit: 10 })).lost.length, 2);
      const late = await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases: [leaseOf(first)] });
      assert.deepEqual(late.leases, [{ kind: "lost" }]);
    },
  },
  {
    claim: "keeps the latest progress that came with a heartbeat",
    check: async ({ store }) => {
      const run = await queueSteps(store);
      const claimed = await claimOne(store);
      for (const progress of [{ percent: 10 }, { percent: 40 }]) {
        await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases: [{ ...leaseOf(claimed), progress }] });
      }
      const [payload] = await store.readPayloads([{ runId: run.id, kind: "step", step: 0, task: -1 }]);
      assert.deepEqual(payload?.progress, { percent: 40 });
    },
  },
  {
    claim: "revokes a lease that has ended, raises the run's version, and fences its late report",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store);
      const claimed = await claimOne(store);
      assert.deepEqual((await store.sweep({ limit: 10 })).lost, []);
      await advance(15_000);
      assert.deepEqual((await store.sweep({ limit: 10 })).lost, [{ runId: run.id, step: 0, task: -1, attempt: 1 }]);
      assert.deepEqual((await store.sweep({ limit: 10 })).lost, []);
      const loaded = await store.load(run.id);
      assert.equal(loaded?.version, 2);
      assert.deepEqual(loaded?.leases, []);
      assert.equal((await run.send(run.next(completion(claimed)))).kind, "conflict");
      run.version = 2;
      assert.equal((await run.send(run.next(completion(claimed)))).kind, "fenced");
    },
  },
  {
    claim: "never gives a swept task to another worker before a commit queues it again",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store);
      await claimOne(store);
      await advance(15_000);
      await store.sweep({ limit: 10 });
      assert.deepEqual((await claimAs(store, "w2")).tasks, []);
      run.version = 2;
      await run.commit({ steps: [queuedRow(0)], enqueue: [enqueued(0, { attempt: 2 })] });
      assert.equal((await claimOne(store, "w2")).attempt, 2);
    },
  },
  {
    claim: "revokes the leases of a dead worker at once, and those of no other",
    check: async ({ store }) => {
      await queueSteps(store, 2);
      const first = await claimOne(store, "dead", { queues: [{ queue: "default", limit: 1 }] });
      await claimOne(store, "alive");
      const { lost } = await store.sweep({ limit: 10, deadWorkers: ["dead", "unknown"] });
      assert.deepEqual(
        lost.map(({ step }) => step),
        [first.step],
      );
    },
  },
  {
    claim: "sweeps no more than the limit at a time, those that ended first before others",
    check: async ({ store, advance }) => {
      const early = await queueSteps(store, 1, { queue: "early" });
      const late = await queueSteps(store, 2, { queue: "late" });
      await claimAs(store, "w1", { queues: [{ queue: "late", limit: 2 }] });
      await advance(10);
      await claimAs(store, "w1", { queues: [{ queue: "early", limit: 2 }] });
      await advance(20_000);
      const sweep = async (limit: number) =>
        (await store.sweep({ limit })).lost.map(({ runId, step }) => [runId, step]);
      assert.deepEqual(await sweep(1), [[late.id, 0]]);
      assert.deepEqual(await sweep(1), [[late.id, 1]]);
      assert.deepEqual(await sweep(10), [[early.id, 0]]);
      assert.deepEqual(await sweep(10), []);
    },
  },
  {
    claim: "reports a lost attempt again while no commit has closed it",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store);
      await claimOne(store);
      await advance(15_000);
      assert.equal((await store.sweep({ limit: 10 })).lost.length, 1);
      await advance(15_000);
      assert.equal((await store.sweep({ limit: 10 })).lost.length, 1);
      run.version = (await store.load(run.id))!.version;
      await run.commit({ closes: [{ step: 0, task: -1, attempt: 1 }] });
      await advance(60_000);
      assert.deepEqual((await store.sweep({ limit: 10 })).lost, []);
    },
  },
];
