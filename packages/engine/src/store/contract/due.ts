import assert from "node:assert/strict";
import type { RunRow } from "@braid/core";
import { finishedRun, idsOf, queueSteps, startRun } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { newId } from "./run-driver.ts";

const wakeAt = (at: number) => ({ change: { run: { status: "running", wakeAt: at } as RunRow } });

/** Runs that somebody has to look at, and signals. */
export const dueClaims: readonly StoreClaim[] = [
  {
    claim: "finds runs whose time has come, longest due first, and says when to look again",
    check: async ({ store }) => {
      const { now } = await store.dueRuns(10);
      const second = await startRun(store, wakeAt(now - 10));
      const first = await startRun(store, wakeAt(now - 20));
      await startRun(store, wakeAt(now + 60_000));
      await startRun(store);
      const due = await store.dueRuns(10);
      assert.deepEqual(due.runIds, [first.id, second.id]);
      assert.equal(due.nextWakeAt, now + 60_000);
      const one = await store.dueRuns(1);
      assert.deepEqual(one.runIds, [first.id]);
      assert.ok(one.nextWakeAt !== null && one.nextWakeAt <= one.now);
      await first.commit({ run: { wakeAt: null } as RunRow });
      await second.commit({ run: { wakeAt: null } as RunRow });
      assert.deepEqual((await store.dueRuns(10)).runIds, []);
    },
  },
  {
    claim: "makes a run due whose commit is not followed up in time",
    check: async ({ store, advance }) => {
      const run = await startRun(store, { change: { followUpMs: 0 } });
      const other = await startRun(store, { change: { followUpMs: 500 } });
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
      await run.commit();
      assert.deepEqual((await store.dueRuns(10)).runIds, []);
      await advance(500);
      assert.deepEqual((await store.dueRuns(10)).runIds, [other.id]);
    },
  },
  {
    claim: "makes a run due whose answers to cancels nobody has applied",
    check: async ({ store, advance }) => {
      const run = await queueSteps(store, 1);
      const cancels = [{ step: 0, task: -1, attempt: 1, cause: "run_canceled", ifQueued: false } as const];
      await run.commit({ cancels });
      assert.deepEqual((await store.dueRuns(10)).runIds, []);
      await advance(15_000);
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
      await run.commit({ closes: [{ step: 0, task: -1, attempt: 1 }] });
      assert.deepEqual(await store.dueRuns(10), { now: (await store.dueRuns(10)).now, runIds: [], nextWakeAt: null });
    },
  },
  {
    claim: "keeps a signal once, in order of acceptance, until a commit uses it",
    check: async ({ store }) => {
      const run = await startRun(store);
      const other = await startRun(store);
      const signal = (id: string, payload: string) =>
        ({ id, runId: run.id, name: "approve", verdict: "approved", payload }) as const;
      await store.putSignal(signal("b", "first"));
      await store.putSignal(signal("a", "second"));
      await store.putSignal(signal("b", "again"));
      await store.putSignal({ ...signal("a", "other run"), runId: other.id });
      const signals = await store.listSignals(run.id);
      assert.deepEqual(
        signals.map(({ id, payload }) => [id, payload]),
        [
          ["b", "first"],
          ["a", "second"],
        ],
      );
      const { acceptedAt, ...kept } = signals[0]!;
      assert.deepEqual(kept, signal("b", "first"));
      assert.ok(acceptedAt > 0);
      await run.commit({ usedSignals: ["b", "unknown"] });
      assert.deepEqual(idsOf(await store.listSignals(run.id)), ["a"]);
      assert.equal((await store.listSignals(other.id)).length, 1);
      await store.putSignal(signal("b", "after it was used"));
      assert.deepEqual(idsOf(await store.listSignals(run.id)), ["a"]);
    },
  },
  {
    claim: "makes a run due once for a signal, again ever more rarely while it is unused, and never when it is used",
    check: async ({ store, advance }) => {
      const run = await startRun(store);
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: null });
      const due = async () => (await store.dueRuns(10)).runIds.length;
      const { runIds, now, nextWakeAt } = await store.dueRuns(10);
      assert.deepEqual(runIds, [run.id]);
      assert.ok(nextWakeAt !== null && nextWakeAt > now, "the next notice is announced");
      assert.equal(await due(), 0);
      await advance(15_000);
      assert.equal(await due(), 1);
      await advance(15_000);
      assert.equal(await due(), 0);
      await advance(15_000);
      assert.equal(await due(), 1);
      await run.commit({ usedSignals: ["s1"] });
      await advance(3_600_000);
      assert.deepEqual((await store.dueRuns(10)).nextWakeAt, null);
      assert.equal(await due(), 0);
    },
  },
  {
    claim: "does not put off the next notice of a signal when its run is due for another reason",
    check: async ({ store, advance }) => {
      const run = await startRun(store);
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: null });
      const { now } = await store.dueRuns(10);
      await run.commit({ run: { wakeAt: now + 5_000 } as RunRow });
      await advance(5_000);
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
      await run.commit({ run: { wakeAt: null } as RunRow });
      assert.equal((await store.dueRuns(10)).nextWakeAt, now + 15_000);
    },
  },
  {
    claim: "does not lose a signal to a commit that knew nothing of it",
    check: async ({ store }) => {
      const run = await startRun(store);
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: 1 });
      await run.commit();
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
    },
  },
  {
    claim: "keeps signals of a terminal run without making it due, until it runs again",
    check: async ({ store }) => {
      const run = await finishedRun(store, "failed", { finishedAt: 2_000 });
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: 1 });
      assert.deepEqual((await store.dueRuns(10)).runIds, []);
      await run.commit({ run: { status: "running", finishedAt: null } as RunRow });
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
    },
  },
  {
    claim: "refuses a signal for a run that does not exist",
    check: async ({ store }) => {
      const signal = { id: "s1", runId: newId(), name: "go", verdict: "signal", payload: 1 } as const;
      await assert.rejects(store.putSignal(signal), { code: "store_not_storable" });
    },
  },
];
