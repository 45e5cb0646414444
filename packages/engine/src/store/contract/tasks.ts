import assert from "node:assert/strict";
import type { ClaimedTask, CommitAnswer, Fence, Store } from "../port.ts";
import { claimAs, enqueued, newId, queuedRow, queueSteps, startRun, stepRow } from "./fixtures.ts";
import type { Change, RunDriver, StoreClaim } from "./fixtures.ts";

const fenceOf = ({ step, task, token }: ClaimedTask): Fence => ({ step, task, token });

const leaseOf = ({ runId, step, task, token }: ClaimedTask) => ({ runId, step, task, token });

/** What a worker commits when its attempt has ended well. */
function completion(claimed: ClaimedTask): Change {
  const { step, task, attempt } = claimed;
  return {
    fences: [fenceOf(claimed)],
    steps: [stepRow(step, { status: "completed", attempt, attemptsUsed: attempt }, task)],
    closes: [{ step, task, attempt }],
  };
}

async function claimOne(store: Store, worker = "w1", fields: Parameters<typeof claimAs>[2] = {}): Promise<ClaimedTask> {
  const { tasks } = await claimAs(store, worker, fields);
  assert.equal(tasks.length, 1);
  return tasks[0]!;
}

const stop = { step: 0, task: -1, attempt: 1, cause: "run_canceled", ifQueued: false } as const;

async function cancelOutcome(run: RunDriver, request: Change["cancels"]): Promise<string | undefined> {
  const { cancels } = await run.commit({ cancels: request ?? [] });
  return cancels[0]?.outcome;
}

const kinds = (answers: readonly CommitAnswer[]): string[] => answers.map(({ kind }) => kind);

export const taskClaims: readonly StoreClaim[] = [
  {
    claim: "gives a queued task with all that its worker needs, and does not raise the run's version",
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store, advance }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
      const run = await queueSteps(store);
      const stale = run.next({ fences: [{ step: 0, task: -1, token: "none" }] });
      await run.commit();
      assert.deepEqual(kinds((await store.commit([stale])).answers), ["conflict"]);
    },
  },
  {
    claim: "renews a lease, and says which attempts were asked to stop and which leases are gone",
    async check({ store, advance }) {
      const run = await queueSteps(store, 3);
      const { tasks } = await claimAs(store, "w1");
      const [first, second, third] = tasks as [ClaimedTask, ClaimedTask, ClaimedTask];
      await run.commit({ ...completion(third), cancels: [{ ...stop, step: 1, cause: "deadline" }] });
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
    async check({ store }) {
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
    async check({ store, advance }) {
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
    async check({ store, advance }) {
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
    async check({ store }) {
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
    async check({ store, advance }) {
      await queueSteps(store, 3);
      await claimAs(store, "w1", { queues: [{ queue: "default", limit: 1 }] });
      await advance(10);
      await claimAs(store, "w1", { queues: [{ queue: "default", limit: 2 }] });
      await advance(20_000);
      const swept = [];
      for (let round = 0; round < 4; round += 1)
        swept.push((await store.sweep({ limit: 1 })).lost.map(({ step }) => step));
      assert.deepEqual(swept, [[0], [1], [2], []]);
    },
  },
  {
    claim: "reports a lost attempt again while no commit has closed it",
    async check({ store, advance }) {
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
  {
    claim: "withdraws a queued task that is canceled, so that nobody can claim it, and says so as often as asked",
    async check({ store }) {
      const run = await queueSteps(store);
      const { cancels } = await run.commit({ cancels: [stop] });
      assert.deepEqual(cancels, [{ step: 0, task: -1, attempt: 1, outcome: "withdrawn", claimedAt: null }]);
      assert.deepEqual((await claimAs(store, "w1")).tasks, []);
      assert.equal(await cancelOutcome(run, [stop]), "withdrawn");
      await run.commit({ closes: [stop] });
      assert.equal(await cancelOutcome(run, [stop]), "gone");
    },
  },
  {
    claim: "answers a cancel of a claimed task with the instant of its claim, and tells its worker",
    async check({ store, advance }) {
      const run = await queueSteps(store);
      const claimed = await claimOne(store);
      await advance(5);
      const { cancels } = await run.commit({ cancels: [stop] });
      const { claimedAt } = claimed;
      assert.deepEqual(cancels, [{ step: 0, task: -1, attempt: 1, outcome: "claimed", claimedAt }]);
      const { leases } = await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases: [leaseOf(claimed)] });
      assert.deepEqual(leases, [{ kind: "renewed", stopCause: "run_canceled" }]);
      await run.commit(completion(claimed));
    },
  },
  {
    claim: "does not stop a claimed task that was only to be withdrawn",
    async check({ store }) {
      const run = await queueSteps(store);
      const claimed = await claimOne(store);
      assert.equal(await cancelOutcome(run, [{ ...stop, cause: "withdrawn", ifQueued: true }]), "claimed");
      const { leases } = await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases: [leaseOf(claimed)] });
      assert.deepEqual(leases, [{ kind: "renewed", stopCause: null }]);
    },
  },
  {
    claim: "answers a cancel of an unknown task, of another attempt, and of a lost one with gone",
    async check({ store, advance }) {
      const run = await queueSteps(store);
      assert.equal(await cancelOutcome(run, [{ ...stop, step: 7 }]), "gone");
      assert.equal(await cancelOutcome(run, [{ ...stop, attempt: 2 }]), "gone");
      await claimOne(store);
      await advance(15_000);
      await store.sweep({ limit: 10 });
      run.version += 1;
      assert.equal(await cancelOutcome(run, [stop]), "gone");
    },
  },
  {
    claim: "applies a commit in the order steps, queue, closes, cancels",
    async check({ store }) {
      const run = await startRun(store, {
        change: {
          steps: [queuedRow(0), queuedRow(1)],
          enqueue: [enqueued(0), enqueued(1)],
          closes: [{ step: 1, task: -1, attempt: 1 }],
        },
      });
      const claimed = await claimOne(store);
      assert.equal(claimed.step, 0);
      const retry = stepRow(0, { status: "queued", attempt: 2, attemptsUsed: 2 });
      const { cancels } = await run.commit({
        fences: [fenceOf(claimed)],
        steps: [retry],
        closes: [{ step: 0, task: -1, attempt: 1 }],
        enqueue: [enqueued(0, { attempt: 2 })],
        cancels: [stop, { ...stop, attempt: 2 }],
      });
      assert.deepEqual(
        cancels.map(({ outcome }) => outcome),
        ["gone", "withdrawn"],
      );
    },
  },
  {
    claim: "queues an attempt anew after it was withdrawn, and closes no other attempt than the one named",
    async check({ store }) {
      const run = await queueSteps(store);
      await run.commit({ cancels: [{ ...stop, ifQueued: true }] });
      await run.commit({ steps: [queuedRow(0)], enqueue: [enqueued(0)], closes: [{ step: 0, task: -1, attempt: 7 }] });
      assert.equal((await claimOne(store)).attempt, 1);
    },
  },
];
