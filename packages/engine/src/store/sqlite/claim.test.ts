import { afterAll, beforeEach, expect, test } from "vitest";
import {
  claimAs,
  claimOne,
  completion,
  enqueued,
  finishedRun,
  queuedRow,
  queueSteps,
  startRun,
} from "../contract/fixtures.ts";
import { places, starts } from "../contract/limits.ts";
import { createSqliteStore } from "../sqlite.ts";
import { ScratchFiles } from "./scratch-files.ts";

const files = new ScratchFiles();
beforeEach(() => files.next());
afterAll(() => files.remove());

test("clears away the places of leases that are over when the next task of the name is taken", async () => {
  const store = await files.open();
  const run = await queueSteps(store, 3, { limits: [places("a", 1), places("b", 9)] });
  for (const step of [0, 1, 2]) {
    const claimed = await claimOne(store);
    const { token } = claimed;
    expect(files.query("select name, step_index, lease_token from limit_slots order by name")).toEqual([
      ["a", step, token],
      ["b", step, token],
    ]);
    await run.commit(completion(claimed));
  }
  expect((await claimAs(store, "w1")).tasks).toEqual([]);
  await store.close();
});

test("takes the write lock only when there is a task that it can take", async () => {
  const store = await files.open();
  const other = await files.open();
  await queueSteps(store, 2, { limits: [places("full", 1)] });
  await queueSteps(store, 2, { limits: [starts("mail", 60_000)] });
  await queueSteps(store, 1, { resources: { gpu: 1 } });
  await queueSteps(store, 1, { limits: [places("free", 1)], handler: "http" });
  expect((await claimAs(store, "w1", { handlers: ["command"] })).tasks.length).toBe(2);
  let changes = 0;
  const forget = other.onChange(() => {
    changes += 1;
  });
  const idle = await claimAs(store, "w1", { handlers: ["command"] });
  expect(idle.tasks).toEqual([]);
  expect(idle.nextAt).not.toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(changes).toBe(0);
  forget();
  await store.close();
  await other.close();
});

test("forgets rates that allow any start again when runs are pruned", async () => {
  let now = 1_763_657_000_000;
  const store = createSqliteStore({ path: files.path, now: () => now });
  await store.open();
  await queueSteps(store, 1, { limits: [starts("fast", 1_000)] });
  await queueSteps(store, 1, { limits: [starts("slow", 60_000)] });
  await claimAs(store, "w1");
  now += 1_000;
  await finishedRun(store, "completed", { finishedAt: 2_000 });
  await store.prune({ keep: 0, dryRun: true });
  expect(files.query("select name from limits order by name")).toEqual([["fast"], ["slow"]]);
  await store.prune({ keep: 0 });
  expect(files.query("select name, tat from limits")).toEqual([["slow", now + 59_000]]);
  await store.close();
});

test("shows what an attempt needs beside its row, however it was leased", async () => {
  const store = await files.open();
  const lease = { worker: "w1", token: "eager", forMs: 15_000 };
  await startRun(store, {
    change: { steps: [queuedRow(0)], enqueue: [enqueued(0, { resources: { cpu: 2 }, lease })] },
  });
  const rows = "select dispatch, limit_key ->> '$.resources.cpu', limit_key ->> '$.limits[0].name' from steps";
  expect(files.query(rows)).toEqual([["leased", 2, null]]);
  await store.close();
});
