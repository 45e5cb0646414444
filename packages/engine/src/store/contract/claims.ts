import assert from "node:assert/strict";
import type { ClaimedTask } from "../claims.ts";
import { claimAs, claimOne, completion, enqueued, fenceOf, queuedRow, queueSteps, startRun } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { newId } from "./run-driver.ts";

/** Who gets a task, and whose reports are accepted. */
export const claimClaims: readonly StoreClaim[] = [
  {
    claim: "gives a queued task with all that its worker needs, and does not raise the run's version",
    check: async ({ store }) => {
      const run = await queueSteps(store, 1, { handler: "http" });
      const { now, tasks } = await claimAs(store, "w1");
      const [task] = tasks;
      assert.ok(task !== undefined && task.token.length > 0);
      const { token } = task;
      assert.deepEqual(tasks, [
        {
          runId: run.id,
          step: 0,
          task: -1,
          attempt: 1,
          token,
          handler: "http",
          queue: "default",
          claimedAt: now,
          version: 1,
          stopCause: null,
          resources: null,
        },
      ]);
      const loaded = await store.load(run.id);
      assert.equal(loaded?.version, 1);
      assert.equal(loaded?.steps[0]?.status, "queued");
      assert.deepEqual(loaded?.leases, [{ step: 0, task: -1, attempt: 1, worker: "w1", token, until: now + 15_000 }]);
    },
  },
  {
    claim: "gives a task to one worker only",
    check: async ({ store }) => {
      await queueSteps(store, 20);
      const answers = await Promise.all(["w1", "w2", "w3", "w4"].map((worker) => claimAs(store, worker)));
      const steps = answers.flatMap(({ tasks }) => tasks.map(({ step }) => step)).toSorted((a, b) => a - b);
      assert.deepEqual(
        steps,
        Array.from({ length: 20 }, (_, step) => step),
      );
      assert.deepEqual((await claimAs(store, "w5")).tasks, []);
    },
  },
  {
    claim: "claims in order of priority, then of the time at which a task was queued",
    check: async ({ store, advance }) => {
      const early = await queueSteps(store, 2);
      await advance(1);
      const urgent = await queueSteps(store, 1, { priority: 5 });
      await advance(1);
      const late = await queueSteps(store, 1);
      const { tasks } = await claimAs(store, "w1");
      assert.deepEqual(
        tasks.map(({ runId, step }) => [runId, step]),
        [
          [urgent.id, 0],
          [early.id, 0],
          [early.id, 1],
          [late.id, 0],
        ],
      );
    },
  },
  {
    claim: "claims from each queue no more than its limit, and from no other queue",
    check: async ({ store }) => {
      await queueSteps(store, 3);
      await queueSteps(store, 3, { queue: "gpu" });
      await queueSteps(store, 3, { queue: "other" });
      const queues = [
        { queue: "default", limit: 2 },
        { queue: "gpu", limit: 1 },
      ];
      const { tasks } = await claimAs(store, "w1", { queues });
      assert.deepEqual(
        tasks.map(({ queue }) => queue),
        ["default", "default", "gpu"],
      );
      assert.deepEqual((await claimAs(store, "w1", { queues: [{ queue: "empty", limit: 5 }] })).tasks, []);
    },
  },
  {
    claim: "claims only for handlers the worker has, by name or by a prefix that ends in a slash",
    check: async ({ store }) => {
      const steps = ["command", "release/build", "release2/build", "http"];
      await startRun(store, {
        change: {
          steps: steps.map((_, step) => queuedRow(step)),
          enqueue: steps.map((handler, step) => enqueued(step, { handler })),
        },
      });
      const claimed = async (handlers: string[]) =>
        (await claimAs(store, "w1", { handlers })).tasks.map(({ handler }) => handler);
      assert.deepEqual(await claimed([]), []);
      assert.deepEqual(await claimed(["htt", "release", "command/"]), []);
      assert.deepEqual(await claimed(["release/", "http"]), ["release/build", "http"]);
      assert.deepEqual(await claimed(["command", "http"]), ["command"]);
    },
  },
  {
    claim: "claims only tasks of the runs that are asked for",
    check: async ({ store }) => {
      await queueSteps(store, 2);
      const own = await queueSteps(store, 2);
      const { tasks } = await claimAs(store, "w1", { runIds: [own.id, newId()], handlers: ["command"] });
      assert.deepEqual(
        tasks.map(({ runId }) => runId),
        [own.id, own.id],
      );
    },
  },
  {
    claim: "takes a task that was committed with a lease as claimed by that worker",
    check: async ({ store }) => {
      const lease = { worker: "w1", token: "eager-1", forMs: 15_000 };
      const run = await queueSteps(store, 1, { lease });
      assert.deepEqual((await claimAs(store, "w2")).tasks, []);
      const loaded = await store.load(run.id);
      const until = loaded!.createdAt + 15_000;
      assert.deepEqual(loaded?.leases, [{ step: 0, task: -1, attempt: 1, worker: "w1", token: "eager-1", until }]);
      await run.commit({ fences: [{ step: 0, task: -1, token: "eager-1" }] });
    },
  },
  {
    claim: "accepts the report of a lease that holds, and none of it after the attempt was closed",
    check: async ({ store }) => {
      const run = await queueSteps(store);
      const claimed = await claimOne(store);
      await run.commit(completion(claimed));
      assert.deepEqual((await store.load(run.id))?.leases, []);
      const answer = await run.send(run.next(completion(claimed)));
      assert.deepEqual(answer, { kind: "fenced", fences: [fenceOf(claimed)] });
    },
  },
  {
    claim: "names each lease that is gone, and writes nothing of a fenced commit",
    check: async ({ store }) => {
      const run = await queueSteps(store, 2);
      const { tasks } = await claimAs(store, "w1");
      const [first, second] = tasks as [ClaimedTask, ClaimedTask];
      const wrong = { ...fenceOf(second), token: "not-the-token" };
      const unknown = { step: 9, task: 4, token: first.token };
      const answer = await run.send(run.next({ ...completion(first), fences: [fenceOf(first), wrong, unknown] }));
      assert.deepEqual(answer, { kind: "fenced", fences: [wrong, unknown] });
      const loaded = await store.load(run.id);
      assert.equal(loaded?.steps[0]?.status, "queued");
      assert.equal(loaded?.leases.length, 2);
      assert.equal(loaded?.version, 1);
    },
  },
  {
    claim: "answers a conflict before it looks at fences",
    check: async ({ store }) => {
      const run = await queueSteps(store);
      const stale = run.next({ fences: [{ step: 0, task: -1, token: "none" }] });
      await run.commit();
      assert.equal((await store.commit([stale])).answers[0]?.kind, "conflict");
    },
  },
];
