import { expect, test } from "vitest";
import { claimAs, enqueued, queuedRow, queueSteps, startRun, stepRow } from "./contract/fixtures.ts";
import { Faults, withFaults } from "./faults.ts";
import { createMemoryStore } from "./memory.ts";
import { StoreError } from "./store-error.ts";

/** What the contract does not say of the memory store: its faults, and what its users in one process hear of each other. */

test("fails a chosen call before it is done, as often as told", async () => {
  const faults = new Faults();
  const store = createMemoryStore({ faults });
  const run = await startRun(store);
  faults.next("commit", { kind: "fail_before", times: 2 });
  const commit = run.next({ steps: [stepRow(0)] });
  await expect(store.commit([commit])).rejects.toBeInstanceOf(StoreError);
  await expect(store.commit([commit])).rejects.toMatchObject({ code: "store_unavailable" });
  expect((await store.load(run.id))?.version).toBe(1);
  expect((await store.commit([commit])).answers[0]?.kind).toBe("accepted");
  expect(faults.hits("commit")).toBe(2);
});

test("loses the answer of a call that was done, and repeating it gives the first answer", async () => {
  const faults = new Faults();
  const store = createMemoryStore({ faults });
  const run = await queueSteps(store, 1);
  const cancels = [{ step: 0, task: -1, attempt: 1, cause: "run_canceled", ifQueued: false } as const];
  const commit = run.next({ cancels });
  faults.next("commit", { kind: "fail_after" });
  await expect(store.commit([commit])).rejects.toMatchObject({ code: "store_unavailable" });
  const [answer] = (await store.commit([commit])).answers;
  expect(answer).toEqual({
    kind: "repeat",
    version: 2,
    cancels: [{ step: 0, task: -1, attempt: 1, outcome: "withdrawn", claimedAt: null }],
  });
});

test("answers a conflict or a refusal on demand, with the store's time, and does nothing", async () => {
  const faults = new Faults();
  const store = createMemoryStore({ faults, now: () => 7_000 });
  const run = await startRun(store);
  const commits = [run.next({ steps: [stepRow(0)] }), run.next({ steps: [stepRow(1)] })];
  faults.next("commit", { kind: "conflict" });
  faults.next("commit", { kind: "refuse", message: "the disk is full of cats" });
  expect(await store.commit(commits)).toEqual({ now: 7_000, answers: [{ kind: "conflict" }, { kind: "conflict" }] });
  expect((await store.commit([commits[0]!])).answers).toEqual([
    { kind: "rejected", message: "the disk is full of cats" },
  ]);
  expect((await store.load(run.id))?.steps).toEqual([]);
});

test("delays a call before it is done, or its answer after it", async () => {
  const faults = new Faults();
  const store = createMemoryStore({ faults });
  await queueSteps(store, 2);
  const gates: (() => void)[] = [];
  const until = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
  const one = { queues: [{ queue: "default", limit: 1 }] };
  faults.next("claim", { kind: "delay", until });
  const first = claimAs(store, "w1", one);
  faults.next("claim", { kind: "delay", until, when: "after" });
  const second = claimAs(store, "w2", one);
  await claimAs(store, "w3", one);
  for (const open of gates) open();
  // The second call took its task before it waited for its answer; the first was overtaken and found none left.
  expect((await second).tasks.map(({ step }) => step)).toEqual([0]);
  expect((await first).tasks).toEqual([]);
});

test("asks the simulator for every call that has no fault of its own", async () => {
  const faults = new Faults();
  const asked: string[] = [];
  faults.decide = (call, number) => {
    asked.push(`${number} ${call}`);
    return call === "load" ? { kind: "fail_before" } : null;
  };
  const store = createMemoryStore({ faults });
  const run = await startRun(store);
  faults.next("load", { kind: "delay", until: async () => {} });
  expect(await store.load(run.id)).not.toBeNull();
  await expect(store.load(run.id)).rejects.toMatchObject({ code: "store_unavailable" });
  expect(asked).toEqual(["1 putWorkflow", "2 createRuns", "4 load"]);
});

test("makes calls of any store fail", async () => {
  const faults = new Faults();
  const store = withFaults(createMemoryStore(), faults);
  faults.next("heartbeat", { kind: "fail_before" });
  const request = { worker: "w1", leaseMs: 1, leases: [] };
  await expect(store.heartbeat(request)).rejects.toMatchObject({ code: "store_unavailable" });
  expect((await store.heartbeat(request)).leases).toEqual([]);
  expect(store.url).toBe("memory:");
});

test("tells listeners once of all that changed, and of nothing after they are gone", async () => {
  const store = createMemoryStore();
  let calls = 0;
  const forget = store.onChange((hint) => {
    expect(hint).toEqual({});
    calls += 1;
  });
  const run = await startRun(store);
  await Promise.resolve();
  calls = 0;
  await Promise.all([
    run.commit({ steps: [queuedRow(0)], enqueue: [enqueued(0)] }),
    store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: 1 }),
  ]);
  await Promise.resolve();
  expect(calls).toBe(1);
  await store.load(run.id);
  await Promise.resolve();
  expect(calls).toBe(1);
  forget();
  await run.commit();
  await Promise.resolve();
  expect(calls).toBe(1);
});
