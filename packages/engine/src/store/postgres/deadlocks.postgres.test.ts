import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { claimAs, enqueued, leaseOf, newRun, putPlan, queuedRow, startRun, stepRow } from "../contract/fixtures.ts";
import { RunDriver } from "../contract/run-driver.ts";
import type { Store } from "../port.ts";
import type { NewRunRequest } from "../records.ts";
import { createPostgresStore } from "../postgres.ts";
import { stateOf } from "./postgres-errors.ts";
import { ScratchLinks } from "./scratch-links.ts";

/** Writers that meet on the same rows, each in an order of its own: one order of locks means that none of them is ever killed. */
describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const stores: Store[] = [];
  beforeEach(() => scratch.next());
  afterAll(async () => {
    await close();
    await scratch.remove();
  });

  async function close(): Promise<void> {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  }

  async function open(count: number): Promise<readonly Store[]> {
    await close();
    for (let index = 0; index < count; index += 1) stores.push(createPostgresStore({ url: scratch.url }));
    await Promise.all(stores.map((store) => store.open()));
    return stores;
  }

  /** Calls all at the same instant, again and again; answers how many calls ended in a deadlock. */
  async function race(rounds: number, calls: readonly ((round: number) => Promise<unknown>)[]): Promise<number> {
    let deadlocks = 0;
    for (let round = 0; round < rounds; round += 1) {
      const outcomes = await Promise.allSettled(calls.map((call) => call(round)));
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        if (stateOf(outcome.reason) !== "40P01") throw outcome.reason;
        deadlocks += 1;
      }
    }
    return deadlocks;
  }

  test("a heartbeat and a commit of the same tasks do not wait for each other in a circle", async () => {
    const [beating, committing] = (await open(2)) as [Store, Store];
    const items = Array.from({ length: 400 }, (_, item) => item);
    const run = await startRun(committing, {
      change: {
        steps: items.map((item) => queuedRow(2, item)),
        enqueue: items.map((item) => enqueued(2, { task: item })),
      },
    });
    const { tasks } = await claimAs(committing, "w1", { queues: [{ queue: "default", limit: 400 }] });
    const leases = tasks.map(leaseOf);
    // Attempts are reported in the order in which they end, which is any.
    const steps = items
      .toReversed()
      .map((item) => stepRow(2, { status: "running", attempt: 1, attemptsUsed: 1 }, item));
    const deadlocks = await race(4, [
      () => beating.heartbeat({ worker: "w1", leaseMs: 15_000, leases }),
      () => run.commit({ steps, newSteps: new Set() }),
    ]);
    expect(deadlocks).toBe(0);
  });

  test("commits of the same runs in different orders do not wait for each other in a circle", async () => {
    const all = await open(4);
    const runs: RunDriver[] = [];
    for (let index = 0; index < 30; index += 1) runs.push(await startRun(all[0]!));
    const orders = [runs, runs.toReversed(), [...runs.slice(15), ...runs.slice(0, 15)], runs.toSorted(() => -1)];
    const deadlocks = await race(15, [
      ...all.map((store, index) => () => store.commit(orders[index]!.map((run) => run.next()))),
      async () => {
        const [row] = await scratch.query("select json_object_agg(id, version) from runs");
        const versions = JSON.parse(row![0] as string) as Record<string, number>;
        for (const run of runs) run.version = versions[run.id]!;
      },
    ]);
    expect(deadlocks).toBe(0);
  });

  test("creations with the same keys in different orders do not wait for each other in a circle", async () => {
    const all = await open(3);
    await putPlan(all[0]!);
    const requestsOf = (round: number, store: Store, isReversed: boolean): readonly NewRunRequest[] => {
      const requests = Array.from({ length: 60 }, (_, index): NewRunRequest => {
        const run = newRun({ idempotencyKey: `${round}/${index}` });
        const driver = new RunDriver(store, run.id);
        Object.assign(driver.row, { status: "running", queuedAt: 1_000, lastAt: 1_000, startedAt: 1_000 });
        return { run, commit: driver.next() };
      });
      return isReversed ? requests.toReversed() : requests;
    };
    const deadlocks = await race(
      3,
      all.map((store, index) => (round: number) => store.createRuns(requestsOf(round, store, index % 2 === 1))),
    );
    expect(deadlocks).toBe(0);
    expect(await scratch.query("select count(*), count(distinct idempotency_key) from runs")).toEqual([[180, 180]]);
  });
});
