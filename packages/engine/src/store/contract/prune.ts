import assert from "node:assert/strict";
import type { RunRow } from "@braid/core";
import type { NewRun } from "../records.ts";
import { claimAs, finishedRun, idsOf, startRun, stepRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import type { RunDriver } from "./run-driver.ts";

const childOf = ({ id }: RunDriver): Partial<NewRun> => ({ parent: { runId: id, step: 0, task: -1, attempt: 1 } });

/** What is deleted, and with what. */
export const pruneClaims: readonly StoreClaim[] = [
  {
    claim: "prunes runs that ended too long ago or are not among the newest, and never one that has not ended",
    check: async ({ store, advance }) => {
      const { now } = await store.dueRuns(1);
      const ended = (ago: number) => finishedRun(store, "completed", { finishedAt: now - ago });
      const old = await ended(10_000);
      const running = await startRun(store);
      const recent = await ended(100);
      const newest = await ended(50);
      assert.deepEqual(await store.prune({}), []);
      assert.deepEqual(await store.prune({ olderThanMs: 5_000, dryRun: true }), [old.id]);
      assert.deepEqual(await store.prune({ olderThanMs: 5_000 }), [old.id]);
      assert.deepEqual(await store.prune({ olderThanMs: 5_000 }), []);
      assert.deepEqual(await store.prune({ keep: 2 }), []);
      assert.deepEqual(await store.prune({ keep: 1 }), [recent.id]);
      await advance(5_000);
      assert.deepEqual(await store.prune({ olderThanMs: 5_000, keep: 0, workflow: "unknown" }), []);
      assert.deepEqual(await store.prune({ olderThanMs: 1_000_000, keep: 0, workflow: "release" }), [newest.id]);
      assert.deepEqual(idsOf(await store.listRuns({ limit: 10 })), [running.id]);
    },
  },
  {
    claim: "prunes a run with everything that belongs to it",
    check: async ({ store, advance }) => {
      const run = await startRun(store, { run: { idempotencyKey: "order-1" } });
      await run.commit({ steps: [stepRow(0)], payloads: [{ step: 0, task: -1, output: 1, items: [1] }], trace: [{}] });
      await store.appendLogs([{ runId: run.id, step: 0, task: -1, attempt: 1, at: 1, stream: "log", text: "line" }]);
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: 1 });
      await run.commit({ run: { status: "canceled", finishedAt: 2_000, wakeAt: 1 } as RunRow });
      await advance(1);
      assert.deepEqual(await store.prune({ keep: 0 }), [run.id]);
      assert.equal(await store.load(run.id), null);
      assert.deepEqual(await store.readTrace(run.id, 0, 10), []);
      assert.deepEqual(await store.readLogs({ runId: run.id }), []);
      assert.deepEqual(await store.listSignals(run.id), []);
      assert.deepEqual((await store.dueRuns(10)).runIds, []);
      assert.deepEqual(await store.readPayloads([{ runId: run.id, kind: "step", step: 0, task: -1 }]), [null]);
      assert.equal((await run.send(run.next())).kind, "conflict");
      await startRun(store, { run: { idempotencyKey: "order-1" } });
    },
  },
  {
    claim: "prunes child runs only with their parent, and no parent whose child has not ended",
    check: async ({ store }) => {
      const root = await finishedRun(store, "completed", { finishedAt: 2_000 });
      const child = await finishedRun(store, "failed", { finishedAt: 2_000, fields: childOf(root) });
      const grandchild = await finishedRun(store, "completed", { finishedAt: 2_000, fields: childOf(child) });
      const busy = await finishedRun(store, "canceled", { finishedAt: 2_000 });
      const orphan = await startRun(store, { run: childOf(busy) });
      const ended = await finishedRun(store, "completed", { finishedAt: 2_000, fields: childOf(orphan) });
      await claimAs(store, "w1");
      assert.deepEqual(await store.prune({ keep: 0 }), [root.id, child.id, grandchild.id]);
      assert.deepEqual(idsOf(await store.listRuns({ limit: 10 })), [ended.id, orphan.id, busy.id]);
    },
  },
];
