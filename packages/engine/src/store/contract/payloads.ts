import assert from "node:assert/strict";
import type { Payload } from "../records.ts";
import { startRun, stepRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { newId } from "./run-driver.ts";
import type { RunDriver } from "./run-driver.ts";

const nothing: Payload = { value: undefined, patch: null, items: null, childInput: undefined, progress: undefined };

async function stepPayload(run: RunDriver, step = 0, task = -1): Promise<Payload | null> {
  const [payload] = await run.store.readPayloads([{ runId: run.id, kind: "step", step, task }]);
  return payload ?? null;
}

const valueOf = (payload: Payload | null) => (payload === null ? null : payload.value);

/** Values beside the control state. */
export const payloadClaims: readonly StoreClaim[] = [
  {
    claim: "keeps payloads apart from the control state, and tells no value from the value null",
    check: async ({ store }) => {
      const run = await startRun(store, { change: { steps: [stepRow(0), stepRow(1), stepRow(1, {}, 0)] } });
      await run.commit({
        payloads: [
          { step: 0, task: -1, output: null },
          { step: 1, task: -1, items: ["a", { b: 1 }, null], patch: { key: [1] }, childInput: 0, progress: "50 %" },
          { step: 1, task: 0, output: { text: 'quote " and ü 🙂' } },
        ],
      });
      assert.deepEqual(await stepPayload(run), { ...nothing, value: null });
      assert.deepEqual(await stepPayload(run, 1), {
        value: undefined,
        patch: { key: [1] },
        items: ["a", { b: 1 }, null],
        childInput: 0,
        progress: "50 %",
      });
      assert.deepEqual(await stepPayload(run, 1, 0), { ...nothing, value: { text: 'quote " and ü 🙂' } });
    },
  },
  {
    claim: "changes only the payload columns that are written, and empties all of them on demand",
    check: async ({ store }) => {
      const run = await startRun(store, { change: { steps: [stepRow(0)] } });
      await run.commit({ payloads: [{ step: 0, task: -1, output: 1, patch: { a: 1 }, items: [1, 2] }] });
      await run.commit({ payloads: [{ step: 0, task: -1, output: 2 }] });
      const kept = { ...nothing, value: 2, patch: { a: 1 }, items: [1, 2] };
      assert.deepEqual(await stepPayload(run), kept);
      await run.commit({ payloads: [{ step: 0, task: -1 }], steps: [stepRow(0, { status: "ready" })] });
      assert.deepEqual(await stepPayload(run), kept);
      await run.commit({ payloads: [{ step: 0, task: -1, clear: true, progress: 3 }] });
      assert.deepEqual(await stepPayload(run), { ...nothing, progress: 3 });
    },
  },
  {
    claim: "writes payloads of rows that the same commit makes, several of one row in their order",
    check: async ({ store }) => {
      const run = await startRun(store);
      const payloads = [
        { step: 0, task: -1, output: 1, patch: { a: 1 } },
        { step: 1, task: -1, output: 2 },
        { step: 1, task: -1, progress: 3 },
        { step: 2, task: -1, output: 4 },
        { step: 2, task: -1, output: 5 },
      ];
      await run.commit({ steps: [stepRow(0), stepRow(1), stepRow(2)], payloads });
      assert.deepEqual(await stepPayload(run), { ...nothing, value: 1, patch: { a: 1 } });
      assert.deepEqual(await stepPayload(run, 1), { ...nothing, value: 2, progress: 3 });
      assert.deepEqual(await stepPayload(run, 2), { ...nothing, value: 5 });
      await run.commit({ steps: [stepRow(0)], payloads: [{ step: 0, task: -1, clear: true, output: 6 }] });
      assert.deepEqual(await stepPayload(run), { ...nothing, value: 6 });
    },
  },
  {
    claim: "answers payload requests in the order asked, with null where there is no such row or run",
    check: async ({ store }) => {
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
      assert.deepEqual(payloads.map(valueOf), [null, "done", null, [1], null, undefined]);
    },
  },
  {
    claim: "has no run output before one was committed, and keeps it when later commits bring none",
    check: async ({ store }) => {
      const run = await startRun(store);
      const output = async () => (await store.readPayloads([{ runId: run.id, kind: "output" }]))[0]?.value;
      assert.equal(await output(), undefined);
      await run.commit({ runOutput: { output: null } });
      await run.commit();
      assert.equal(await output(), null);
    },
  },
];
