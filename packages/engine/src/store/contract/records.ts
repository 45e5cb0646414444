import assert from "node:assert/strict";
import type { RunRow, RunStatus } from "@braid/core";
import type { LogLine, Payload, Store } from "../port.ts";
import { chainPlan, claimAs, newId, newRun, putPlan, queueSteps, RunDriver, startRun, stepRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";

const nothing: Payload = { value: undefined, patch: null, items: null, childInput: undefined, progress: undefined };

async function stepPayload(store: Store, runId: string, step = 0, task = -1): Promise<Payload | null> {
  const [payload] = await store.readPayloads([{ runId, kind: "step", step, task }]);
  return payload ?? null;
}

async function finishedRun(
  store: Store,
  status: RunStatus,
  { finishedAt, fields = {} }: { readonly finishedAt: number; readonly fields?: Parameters<typeof newRun>[0] },
): Promise<RunDriver> {
  const run = await startRun(store, { run: fields });
  await run.commit({ run: { status, finishedAt } as RunRow });
  return run;
}

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

export const payloadClaims: readonly StoreClaim[] = [
  {
    claim: "keeps payloads apart from the control state, and tells no value from the value null",
    async check({ store }) {
      const run = await startRun(store, { change: { steps: [stepRow(0), stepRow(1), stepRow(1, {}, 0)] } });
      await run.commit({
        payloads: [
          { step: 0, task: -1, output: null },
          { step: 1, task: -1, items: ["a", { b: 1 }, null], patch: { key: [1] }, childInput: 0, progress: "50 %" },
          { step: 1, task: 0, output: { text: 'quote " and ü 🙂' } },
        ],
      });
      assert.deepEqual(await stepPayload(store, run.id), { ...nothing, value: null });
      assert.deepEqual(await stepPayload(store, run.id, 1), {
        value: undefined,
        patch: { key: [1] },
        items: ["a", { b: 1 }, null],
        childInput: 0,
        progress: "50 %",
      });
      assert.deepEqual(await stepPayload(store, run.id, 1, 0), { ...nothing, value: { text: 'quote " and ü 🙂' } });
    },
  },
  {
    claim: "changes only the payload columns that are written, and empties all of them on demand",
    async check({ store }) {
      const run = await startRun(store, { change: { steps: [stepRow(0)] } });
      await run.commit({ payloads: [{ step: 0, task: -1, output: 1, patch: { a: 1 }, items: [1, 2] }] });
      await run.commit({ payloads: [{ step: 0, task: -1, output: 2 }] });
      const kept = { ...nothing, value: 2, patch: { a: 1 }, items: [1, 2] };
      assert.deepEqual(await stepPayload(store, run.id), kept);
      await run.commit({ payloads: [{ step: 0, task: -1 }], steps: [stepRow(0, { status: "ready" })] });
      assert.deepEqual(await stepPayload(store, run.id), kept);
      await run.commit({ payloads: [{ step: 0, task: -1, clear: true, progress: 3 }] });
      assert.deepEqual(await stepPayload(store, run.id), { ...nothing, progress: 3 });
    },
  },
  {
    claim: "answers payload requests in the order asked, with null where there is no such row or run",
    async check({ store }) {
      const run = await startRun(store, { run: { input: [1] }, change: { steps: [stepRow(0)] } });
      await run.commit({ runOutput: { output: "done" } });
      const payloads = await store.readPayloads([
        { runId: run.id, kind: "step", step: 5, task: -1 },
        { runId: run.id, kind: "output" },
        { runId: newId(), kind: "input" },
        { runId: run.id, kind: "input" },
        { runId: newId(), kind: "step", step: 0, task: -1 },
        { runId: run.id, kind: "step", step: 0, task: -1 },
      ]);
      const value = (each: Payload | null) => (each === null ? null : each.value);
      assert.deepEqual(payloads.map(value), [null, "done", null, [1], null, undefined]);
    },
  },
  {
    claim: "has no run output before one was committed, and keeps it when later commits bring none",
    async check({ store }) {
      const run = await startRun(store);
      const output = async () => (await store.readPayloads([{ runId: run.id, kind: "output" }]))[0]?.value;
      assert.equal(await output(), undefined);
      await run.commit({ runOutput: { output: null } });
      await run.commit();
      assert.equal(await output(), null);
    },
  },
];

export const recordClaims: readonly StoreClaim[] = [
  {
    claim: "gives the same version for the same hash, and the next one for another",
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
      const run = await startRun(store);
      const text = "a\0b\ud800c ü 🙂";
      await store.appendLogs([{ runId: run.id, step: 0, task: -1, attempt: 1, at: 5, stream: "stderr", text }]);
      const [line] = await store.readLogs({ runId: run.id });
      assert.equal(line?.text, "a\uFFFDb\uFFFDc ü 🙂");
    },
  },
  {
    claim: "lists workers with the time they were last seen, until they are removed",
    async check({ store, advance }) {
      const worker = { id: "w1", host: "h", pid: 7, startedAt: 1_000, name: "n", queues: ["default", "gpu"] };
      await store.putWorker(worker);
      const [first] = await store.listWorkers();
      await advance(500);
      await store.putWorker({ ...worker, queues: [] });
      const [second] = await store.listWorkers();
      assert.deepEqual(first, { ...worker, seenAt: first!.seenAt });
      assert.deepEqual(second, { ...worker, queues: [], seenAt: second!.seenAt });
      assert.ok(second!.seenAt >= first!.seenAt + 500);
      await store.removeWorker("w1");
      await store.removeWorker("w1");
      assert.deepEqual(await store.listWorkers(), []);
    },
  },
  {
    claim: "keeps ranks as they were first written",
    async check({ store }) {
      await store.putRanks("r1", [3.5, 2, 0]);
      await store.putRanks("r1", [9]);
      assert.deepEqual(await store.getRanks("r1"), [3.5, 2, 0]);
      assert.equal(await store.getRanks("r2"), null);
    },
  },
  {
    claim: "gives the mean duration of each step over completed runs, by step id",
    async check({ store }) {
      const plan = chainPlan("release", ["test", "build"]);
      await putPlan(store);
      await store.putWorkflow({ name: "release", hash: "hash-2", definition: {}, plan });
      const ended = (step: number, ms: number, task = -1) =>
        stepRow(step, { status: "completed", startedAt: 1_000, finishedAt: 1_000 + ms }, task);
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

export const dueClaims: readonly StoreClaim[] = [
  {
    claim: "finds runs whose time has come, longest due first, and says when to look again",
    async check({ store }) {
      const { now } = await store.dueRuns(10);
      const wakeAt = (at: number) => ({ change: { run: { status: "running", wakeAt: at } as RunRow } });
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
    async check({ store, advance }) {
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
    async check({ store, advance }) {
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
    async check({ store }) {
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
    async check({ store, advance }) {
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
    claim: "does not lose a signal to a commit that knew nothing of it",
    async check({ store }) {
      const run = await startRun(store);
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: 1 });
      await run.commit();
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
    },
  },
  {
    claim: "keeps signals of a terminal run without making it due, until it runs again",
    async check({ store }) {
      const run = await finishedRun(store, "failed", { finishedAt: 2_000 });
      await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: 1 });
      assert.deepEqual((await store.dueRuns(10)).runIds, []);
      await run.commit({ run: { status: "running", finishedAt: null } as RunRow });
      assert.deepEqual((await store.dueRuns(10)).runIds, [run.id]);
    },
  },
  {
    claim: "refuses a signal for a run that does not exist",
    async check({ store }) {
      const signal = { id: "s1", runId: newId(), name: "go", verdict: "signal", payload: 1 } as const;
      await assert.rejects(store.putSignal(signal), { code: "store_not_storable" });
    },
  },
];

export const pruneClaims: readonly StoreClaim[] = [
  {
    claim: "prunes runs that ended too long ago or are not among the newest, and never one that has not ended",
    async check({ store, advance }) {
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
    async check({ store, advance }) {
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
      assert.equal(await stepPayload(store, run.id), null);
      assert.equal((await run.send(run.next())).kind, "conflict");
      await startRun(store, { run: { idempotencyKey: "order-1" } });
    },
  },
  {
    claim: "prunes child runs with their parent, and no parent whose child has not ended",
    async check({ store }) {
      const childOf = ({ id }: RunDriver) => ({ parent: { runId: id, step: 0, task: -1, attempt: 1 } });
      const root = await finishedRun(store, "completed", { finishedAt: 2_000 });
      const child = await finishedRun(store, "failed", { finishedAt: 2_000, fields: childOf(root) });
      const grandchild = await finishedRun(store, "completed", { finishedAt: 2_000, fields: childOf(child) });
      const busy = await finishedRun(store, "canceled", { finishedAt: 2_000 });
      const orphan = await startRun(store, { run: childOf(busy) });
      await claimAs(store, "w1");
      assert.deepEqual(await store.prune({ keep: 0 }), [root.id, child.id, grandchild.id]);
      assert.deepEqual(idsOf(await store.listRuns({ limit: 10 })), [orphan.id, busy.id]);
    },
  },
];
