import assert from "node:assert/strict";
import type { ClaimAnswer } from "../claims.ts";
import type { Enqueue, Resources } from "../run-commit.ts";
import { claimAs, claimOne, completion, enqueued, queuedRow, queueSteps, startRun } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { places, starts } from "./limits.ts";
import type { RunDriver } from "./run-driver.ts";

const placesOf = ({ tasks }: ClaimAnswer): readonly (readonly [string, number])[] =>
  tasks.map(({ runId, step }) => [runId, step]);

const cpu = (amount: number): Resources => ({ cpu: amount });

const stepsOf = ({ tasks }: ClaimAnswer): readonly number[] => tasks.map(({ step }) => step);

/** Which of the tasks that wait for limits, rates and resources is taken, and which is not held back by them. */
export const parkedClaims: readonly StoreClaim[] = [
  {
    claim: "never holds back a task behind those of a full limit, however many they are",
    check: async ({ store, advance }) => {
      await queueSteps(store, 300, { limits: [places("full", 1)], priority: 9 });
      await claimOne(store);
      await advance(1);
      const other = await queueSteps(store, 1, { limits: [places("free", 1), places("full", null)] });
      await advance(1);
      const plain = await queueSteps(store, 2);
      const answer = await claimAs(store, "w1", { queues: [{ queue: "default", limit: 3 }] });
      assert.deepEqual(placesOf(answer), [
        [other.id, 0],
        [plain.id, 0],
        [plain.id, 1],
      ]);
      assert.equal(answer.nextAt, null);
    },
  },
  {
    claim: "takes parked tasks and others in one order: priority, then the time they were queued",
    check: async ({ store, advance }) => {
      const queued: RunDriver[] = [];
      const kinds: readonly Partial<Enqueue>[] = [
        { limits: [places("a", 9)] },
        {},
        { limits: [places("b", 9)], resources: { cpu: 1 } },
        { limits: [places("a", 9)], priority: 5 },
        { priority: 5 },
        { limits: [places("a", 9)] },
        { resources: { cpu: 1 } },
      ];
      for (const kind of kinds) {
        queued.push(await queueSteps(store, 1, kind));
        await advance(1);
      }
      const resources = { cpu: 8 };
      const claimed: string[] = [];
      for (const limit of [4, 1, 9]) {
        const { tasks } = await claimAs(store, "w1", { resources, queues: [{ queue: "default", limit }] });
        claimed.push(...tasks.map(({ runId }) => runId));
      }
      assert.deepEqual(
        claimed,
        [3, 4, 0, 1, 2, 5, 6].map((index) => queued[index]?.id),
      );
    },
  },
  {
    claim:
      "takes parked tasks only of the queues, handlers and runs that are asked for, and not beyond a queue's limit",
    check: async ({ store }) => {
      const limits = [places("db", 2)];
      const run = await startRun(store, {
        change: {
          steps: [0, 1, 2].map((step) => queuedRow(step)),
          enqueue: ["command", "release/build", "http"].map((handler, step) => enqueued(step, { handler, limits })),
        },
      });
      const other = await queueSteps(store, 1, { limits, priority: 9 });
      const runIds = [run.id];
      assert.deepEqual(stepsOf(await claimAs(store, "w1", { handlers: ["release"] })), []);
      assert.deepEqual(stepsOf(await claimAs(store, "w1", { queues: [{ queue: "gpu", limit: 5 }] })), []);
      assert.deepEqual(stepsOf(await claimAs(store, "w1", { queues: [{ queue: "default", limit: 0 }] })), []);
      assert.deepEqual(stepsOf(await claimAs(store, "w1", { handlers: ["release/"], runIds })), [1]);
      const one = { queues: [{ queue: "default", limit: 1 }], runIds };
      assert.deepEqual(stepsOf(await claimAs(store, "w1", one)), [0]);
      assert.deepEqual(stepsOf(await claimAs(store, "w1", one)), []);
      assert.deepEqual(stepsOf(await claimAs(store, "w1", { runIds: [other.id] })), []);
    },
  },
  {
    claim: "spends the burst of a rate, then one start in each interval, and says when the next one is",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store, 5, { limits: [starts("mail", 1_000, 2)] });
      const first = await claimAs(store, "w1");
      assert.deepEqual(stepsOf(first), [0, 1]);
      assert.equal(first.nextAt, first.now + 1_000);
      // A start is spent for good: that the attempt is over gives nothing back.
      for (const claimed of first.tasks) await run.commit(completion(claimed));
      await advance(900);
      assert.deepEqual(await claimAs(store, "w2").then(({ tasks, nextAt }) => ({ tasks, nextAt })), {
        tasks: [],
        nextAt: first.now + 1_000,
      });
      await advance(100);
      const second = await claimAs(store, "w2");
      assert.deepEqual(stepsOf(second), [2]);
      assert.equal(second.nextAt, first.now + 2_000);
      await advance(60_000);
      assert.deepEqual(stepsOf(await claimAs(store, "w1")), [3, 4]);
      assert.equal((await claimAs(store, "w1")).nextAt, null);
    },
  },
  {
    claim: "starts a task of two rates when both are open, and spends a start of neither before",
    check: async ({ store, advance }) => {
      const slow = starts("slow", 10_000);
      const fast = starts("fast", 1_000);
      await queueSteps(store, 1, { limits: [slow], priority: 9 });
      const { now } = await claimAs(store, "w1");
      const both = await queueSteps(store, 1, { limits: [fast, slow], priority: 5 });
      const alone = await queueSteps(store, 2, { limits: [fast] });
      const answer = await claimAs(store, "w1");
      assert.deepEqual(placesOf(answer), [[alone.id, 0]]);
      assert.equal(answer.nextAt, answer.now + 1_000);
      await advance(10_000);
      const later = await claimAs(store, "w1");
      assert.deepEqual(placesOf(later), [[both.id, 0]]);
      assert.equal(later.nextAt, later.now + 1_000);
      assert.ok(later.now >= now + 10_000);
    },
  },
  {
    claim: "tells of a rate only where nothing else holds back a task that the worker could take",
    check: async ({ store }) => {
      const mail = { name: "mail", max: 1, rate: { count: 1, perMs: 60_000, burst: 1 } };
      const run = await queueSteps(store, 3, { limits: [mail] });
      const claimed = await claimOne(store);
      assert.equal((await claimAs(store, "w2")).nextAt, null);
      await run.commit(completion(claimed));
      const opensAt = claimed.claimedAt + 60_000;
      const nextAt = async (fields: Parameters<typeof claimAs>[2]) => (await claimAs(store, "w2", fields)).nextAt;
      assert.equal(await nextAt({}), opensAt);
      assert.equal(await nextAt({ runIds: [run.id], handlers: ["command"] }), opensAt);
      assert.equal(await nextAt({ handlers: ["http"] }), null);
      assert.equal(await nextAt({ runIds: [] }), null);
      assert.equal(await nextAt({ queues: [{ queue: "gpu", limit: 5 }] }), null);
      await queueSteps(store, 1, { limits: [starts("mail", 1_000)], resources: { cpu: 1 } });
      assert.equal(await nextAt({ handlers: ["command"], runIds: [run.id] }), opensAt);
    },
  },
  {
    claim: "holds each task to its own interval and burst where tasks declare the same rate differently",
    check: async ({ store }) => {
      await queueSteps(store, 1, { limits: [starts("mail", 1_000)], priority: 9 });
      const patient = await queueSteps(store, 1, { limits: [starts("mail", 1_000)], priority: 5 });
      const bursty = await queueSteps(store, 3, { limits: [starts("mail", 2_000, 2)] });
      const answer = await claimAs(store, "w1");
      assert.equal(answer.tasks.length, 2);
      assert.deepEqual(placesOf(answer)[1], [bursty.id, 0]);
      // The starts so far take the name 3,000 ms; two of its own intervals ahead is where the second kind stops.
      assert.equal(answer.nextAt, answer.now + 1_000);
      assert.ok(answer.tasks.every(({ runId }) => runId !== patient.id));
    },
  },
  {
    claim: "takes a task with resources where they are free, and no more than fit together into one claim",
    check: async ({ store }) => {
      const big = await queueSteps(store, 2, { resources: { cpu: 2, gpu: 1 }, priority: 5 });
      const small = await queueSteps(store, 3, { resources: cpu(0.5) });
      const plain = await queueSteps(store, 1);
      assert.deepEqual(placesOf(await claimAs(store, "w1", { queues: [{ queue: "default", limit: 1 }] })), [
        [plain.id, 0],
      ]);
      const { tasks } = await claimAs(store, "w1", { resources: { cpu: 3.5, gpu: 1 } });
      assert.deepEqual(
        tasks.map(({ runId, step, resources }) => [runId, step, resources]),
        [
          [big.id, 0, { cpu: 2, gpu: 1 }],
          [small.id, 0, cpu(0.5)],
          [small.id, 1, cpu(0.5)],
          [small.id, 2, cpu(0.5)],
        ],
      );
      assert.deepEqual((await claimAs(store, "w2", { resources: cpu(64) })).tasks, []);
      assert.deepEqual(placesOf(await claimAs(store, "w2", { resources: { cpu: 2, gpu: 1, disk: 1 } })), [[big.id, 1]]);
    },
  },
  {
    claim: "shares out the resources of a worker over all its queues, and takes fractions to the last",
    check: async ({ store }) => {
      await queueSteps(store, 2, { resources: { cpu: 0.1 } });
      await queueSteps(store, 2, { resources: { cpu: 0.1 }, queue: "gpu" });
      const queues = ["default", "gpu"].map((queue) => ({ queue, limit: 5 }));
      const { tasks } = await claimAs(store, "w1", { resources: { cpu: 0.3 }, queues });
      assert.deepEqual(
        tasks.map(({ queue }) => queue),
        ["default", "default", "gpu"],
      );
    },
  },
  {
    claim: "never takes a task whose resources no worker has, and takes others in its place",
    check: async ({ store }) => {
      await queueSteps(store, 1, { resources: { tpu: 1 }, priority: 9 });
      const limited = await queueSteps(store, 1, { limits: [places("db", 1)] });
      assert.deepEqual(placesOf(await claimAs(store, "w1", { resources: { cpu: 64 } })), [[limited.id, 0]]);
      assert.deepEqual((await claimAs(store, "w1", { resources: { cpu: 64 } })).tasks, []);
    },
  },
  {
    claim: "uses up a place of a limit only where the resources are free too",
    check: async ({ store }) => {
      const heavy = await queueSteps(store, 1, { limits: [places("db", 1)], resources: { cpu: 4 }, priority: 9 });
      const light = await queueSteps(store, 1, { limits: [places("db", 1)], resources: { cpu: 1 } });
      const claimed = await claimOne(store, "w1", { resources: { cpu: 2 } });
      assert.equal(claimed.runId, light.id);
      assert.deepEqual((await claimAs(store, "w2", { resources: { cpu: 8 } })).tasks, []);
      await light.commit(completion(claimed));
      assert.equal((await claimOne(store, "w2", { resources: { cpu: 8 } })).runId, heavy.id);
    },
  },
];
