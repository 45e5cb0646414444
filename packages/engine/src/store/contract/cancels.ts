import assert from "node:assert/strict";
import {
  claimAs,
  claimOne,
  completion,
  enqueued,
  fenceOf,
  leaseOf,
  queuedRow,
  queueSteps,
  startRun,
  stepRow,
} from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import type { Change, RunDriver } from "./run-driver.ts";

const stop = { step: 0, task: -1, attempt: 1, cause: "run_canceled", ifQueued: false } as const;

async function cancelOutcome(run: RunDriver, request: Change["cancels"]): Promise<string | undefined> {
  const { cancels } = await run.commit({ cancels: request ?? [] });
  return cancels[0]?.outcome;
}

/** What becomes of a task that is to be stopped. */
export const cancelClaims: readonly StoreClaim[] = [
  {
    claim: "withdraws a queued task that is canceled, so that nobody can claim it, and says so as often as asked",
    check: async ({ store }) => {
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
    check: async ({ store, advance }) => {
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
    check: async ({ store }) => {
      const run = await queueSteps(store);
      const claimed = await claimOne(store);
      assert.equal(await cancelOutcome(run, [{ ...stop, cause: "withdrawn", ifQueued: true }]), "claimed");
      const { leases } = await store.heartbeat({ worker: "w1", leaseMs: 15_000, leases: [leaseOf(claimed)] });
      assert.deepEqual(leases, [{ kind: "renewed", stopCause: null }]);
    },
  },
  {
    claim: "answers a cancel of an unknown task, of another attempt, and of a lost one with gone",
    check: async ({ store, advance }) => {
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
    check: async ({ store }) => {
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
    check: async ({ store }) => {
      const run = await queueSteps(store);
      await run.commit({ cancels: [{ ...stop, ifQueued: true }] });
      await run.commit({ steps: [queuedRow(0)], enqueue: [enqueued(0)], closes: [{ step: 0, task: -1, attempt: 7 }] });
      assert.equal((await claimOne(store)).attempt, 1);
    },
  },
];
