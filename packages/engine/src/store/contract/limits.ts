import assert from "node:assert/strict";
import type { RunRow } from "@braid/core";
import type { Store } from "../port.ts";
import type { Enqueue, TaskLimit } from "../run-commit.ts";
import {
  answerOf,
  claimAs,
  claimOne,
  completion,
  enqueued,
  fenceOf,
  leaseOf,
  queuedRow,
  queueSteps,
  startRun,
} from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";

/** A limit of so many places. */
export const places = (name: string, max: number | null): TaskLimit => ({ name, max, rate: null });

/** A limit of one start in so many milliseconds. */
export const starts = (name: string, perMs: number, burst = 1): TaskLimit => {
  return { name, max: null, rate: { count: 1, perMs, burst } };
};

const db: Partial<Enqueue> = { limits: [places("db", 1)] };

/** How many tasks a worker gets. */
async function countFor(store: Store, worker: string): Promise<number> {
  return (await claimAs(store, worker)).tasks.length;
}

/** Limits over runs: how many attempts of a name there may be at a time, and when their places are free again. */
export const limitClaims: readonly StoreClaim[] = [
  {
    claim: "takes no more tasks of a limit at a time than its maximum, over all runs, queues and workers",
    check: async ({ store }) => {
      const limits = [places("db", 3)];
      const first = await queueSteps(store, 2, { limits });
      const second = await queueSteps(store, 3, { limits });
      await queueSteps(store, 1, { limits, queue: "gpu" });
      const { tasks } = await claimAs(store, "w1", { queues: [{ queue: "default", limit: 2 }] });
      assert.deepEqual(
        tasks.map(({ runId, step }) => [runId, step]),
        [
          [first.id, 0],
          [first.id, 1],
        ],
      );
      const third = await claimOne(store, "w2");
      assert.deepEqual([third.runId, third.step], [second.id, 0]);
      assert.equal(await countFor(store, "w1"), 0);
      assert.deepEqual((await claimAs(store, "w3", { queues: [{ queue: "gpu", limit: 5 }] })).tasks, []);
      await first.commit(completion(tasks[0]!));
      assert.equal((await claimOne(store, "w3", { queues: [{ queue: "gpu", limit: 5 }] })).queue, "gpu");
      assert.equal(await countFor(store, "w2"), 0);
    },
  },
  {
    claim: "never takes more than the maximum, however many workers ask at once",
    check: async ({ store }) => {
      for (let run = 0; run < 4; run += 1) await queueSteps(store, 4, { limits: [places("db", 5)] });
      const workers = Array.from({ length: 8 }, (_, index) => `w${index}`);
      const counts = await Promise.all(workers.map((worker) => countFor(store, worker)));
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        5,
      );
    },
  },
  {
    claim: "takes a task of two limits only when both have room, and uses up a place of neither until then",
    check: async ({ store }) => {
      const a = places("a", 1);
      const b = places("b", 1);
      const onlyB = await queueSteps(store, 1, { limits: [b], priority: 9 });
      const held = await claimOne(store);
      const both = await queueSteps(store, 1, { limits: [a, b], priority: 5 });
      const onlyA = await queueSteps(store, 1, { limits: [a] });
      const free = await claimOne(store);
      assert.equal(free.runId, onlyA.id);
      await onlyB.commit(completion(held));
      assert.equal(await countFor(store, "w2"), 0);
      await onlyA.commit(completion(free));
      assert.equal((await claimOne(store)).runId, both.id);
      await queueSteps(store, 1, { limits: [a] });
      await queueSteps(store, 1, { limits: [b] });
      assert.equal(await countFor(store, "w2"), 0);
    },
  },
  {
    claim: "keeps a place as long as its lease, and frees it when the attempt is swept or its late report closes it",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store, 2, db);
      const first = await claimOne(store);
      await advance(10_000);
      await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases: [leaseOf(first)] });
      await advance(10_000);
      assert.equal((await store.sweep({ limit: 10 })).lost.length, 0);
      assert.equal(await countFor(store, "w2"), 0);
      await advance(5_000);
      // A lease that is past its end and not swept may still be renewed, so its place is not free.
      assert.equal(await countFor(store, "w2"), 0);
      assert.equal((await store.sweep({ limit: 10 })).lost.length, 1);
      const second = await claimOne(store, "w2");
      assert.equal(second.step, 1);
      run.version = (await store.load(run.id))!.version;
      await run.commit({ closes: [{ step: 0, task: -1, attempt: 1 }] });
      await queueSteps(store, 1, db);
      assert.equal(await countFor(store, "w3"), 0);
      await run.commit(completion(second));
      assert.equal(await countFor(store, "w3"), 1);
    },
  },
  {
    claim: "frees a place when the attempt is queued again, whether or not the commit closes the one before",
    check: async ({ store }) => {
      for (const closes of [[{ step: 0, task: -1, attempt: 1 }], []]) {
        const run = await queueSteps(store, 1, db);
        const other = await queueSteps(store, 1, { ...db, priority: -1 });
        const first = await claimOne(store);
        assert.equal(await countFor(store, "w2"), 0);
        const again = enqueued(0, { ...db, attempt: 2 });
        await run.commit({ fences: [fenceOf(first)], steps: [queuedRow(0)], closes, enqueue: [again] });
        const second = await claimOne(store);
        assert.deepEqual([second.runId, second.attempt], [run.id, 2]);
        assert.equal(await countFor(store, "w2"), 0);
        // Leased at once and without the limit: the place it had is free for others.
        const lease = { worker: "w1", token: `eager-${closes.length}`, forMs: 15_000 };
        await run.commit({ fences: [fenceOf(second)], enqueue: [enqueued(0, { attempt: 3, lease })] });
        const third = await claimOne(store, "w2");
        assert.equal(third.runId, other.id);
        await other.commit(completion(third));
      }
    },
  },
  {
    claim: "uses up no place for a task that is withdrawn, and takes it when it is queued anew",
    check: async ({ store }) => {
      const run = await queueSteps(store, 1, db);
      const stop = { step: 0, task: -1, attempt: 1, cause: "withdrawn", ifQueued: true } as const;
      const { cancels } = await run.commit({ cancels: [stop] });
      assert.equal(cancels[0]?.outcome, "withdrawn");
      const other = await queueSteps(store, 1, db);
      const claimed = await claimOne(store);
      assert.equal(claimed.runId, other.id);
      await run.commit({ steps: [queuedRow(0)], enqueue: [enqueued(0, db)] });
      assert.equal(await countFor(store, "w2"), 0);
      await other.commit(completion(claimed));
      assert.equal((await claimOne(store)).runId, run.id);
    },
  },
  {
    claim: "keeps the place of an attempt that was asked to stop until it has ended",
    check: async ({ store }) => {
      const run = await queueSteps(store, 1, db);
      const claimed = await claimOne(store);
      await run.commit({ cancels: [{ step: 0, task: -1, attempt: 1, cause: "run_canceled", ifQueued: false }] });
      await queueSteps(store, 1, db);
      assert.equal(await countFor(store, "w2"), 0);
      await run.commit(completion(claimed));
      assert.equal(await countFor(store, "w2"), 1);
    },
  },
  {
    claim: "frees the places of a run that is pruned",
    check: async ({ store }) => {
      const run = await queueSteps(store, 1, db);
      await claimOne(store);
      await run.commit({ run: { status: "failed", finishedAt: 2_000 } as RunRow });
      await queueSteps(store, 1, db);
      assert.equal(await countFor(store, "w2"), 0);
      assert.deepEqual(await store.prune({ keep: 0 }), [run.id]);
      assert.equal(await countFor(store, "w2"), 1);
    },
  },
  {
    claim: "keeps places and rates when it is closed and opened again",
    check: async ({ store }) => {
      await queueSteps(store, 2, { limits: [places("db", 1)] });
      await queueSteps(store, 2, { limits: [starts("mail", 60_000)] });
      assert.equal(await countFor(store, "w1"), 2);
      await store.close();
      await store.open();
      const { tasks, nextAt, now } = await claimAs(store, "w2");
      assert.deepEqual(tasks, []);
      assert.ok(nextAt !== null && nextAt > now);
    },
  },
  {
    claim: "holds each task to its own words where tasks declare the same limit differently",
    check: async ({ store }) => {
      const wide = await queueSteps(store, 4, { limits: [places("db", 3)], priority: 5 });
      const narrow = await queueSteps(store, 1, { limits: [places("db", 1)] });
      const { tasks } = await claimAs(store, "w1");
      assert.deepEqual(
        tasks.map(({ runId, step }) => [runId, step]),
        [0, 1, 2].map((step) => [wide.id, step]),
      );
      for (const claimed of tasks) await wide.commit(completion(claimed));
      const last = await claimOne(store);
      assert.equal(last.step, 3);
      await wide.commit(completion(last));
      // Without a maximum it takes a place all the same, which others count.
      await queueSteps(store, 1, { limits: [places("db", null)], priority: 9 });
      assert.equal((await claimOne(store)).runId === narrow.id, false);
      assert.equal(await countFor(store, "w2"), 0);
      const plenty = await queueSteps(store, 1, { limits: [places("db", 2)] });
      assert.equal((await claimOne(store, "w2")).runId, plenty.id);
    },
  },
  {
    claim: "rejects a task that has limits and is leased at once, and limits or resources that make no sense",
    check: async ({ store }) => {
      const run = await startRun(store);
      const lease = { worker: "w1", token: "eager", forMs: 15_000 };
      const rate = { count: 1, perMs: 1_000, burst: 1 };
      const wrong: readonly Partial<Enqueue>[] = [
        { ...db, lease },
        { limits: [places("b", 1), places("a", 1)] },
        { limits: [places("a", 1), places("a", 2)] },
        { limits: [places("a", -1)] },
        { limits: [places("a", Number.NaN)] },
        { limits: [places("a\0b", 1)] },
        { limits: [places("x".repeat(3_000), 1)] },
        { limits: [{ name: "a", max: null, rate: { ...rate, count: 0 } }] },
        { limits: [{ name: "a", max: null, rate: { ...rate, perMs: Infinity } }] },
        { limits: [{ name: "a", max: null, rate: { ...rate, burst: 0 } }] },
        { resources: { cpu: Number.NaN } },
        { resources: { cpu: -1 } },
        { resources: { "c\0pu": 1 } },
      ];
      for (const fields of wrong) {
        const commit = run.next({ steps: [queuedRow(0)], enqueue: [enqueued(0, fields)] });
        assert.equal(await answerOf(store, commit), "rejected", JSON.stringify(fields));
      }
      assert.deepEqual((await store.load(run.id))?.steps, []);
      await run.commit({ steps: [queuedRow(0)], enqueue: [enqueued(0, { resources: { cpu: 1 }, lease })] });
      assert.equal((await store.load(run.id))?.leases.length, 1);
    },
  },
];
