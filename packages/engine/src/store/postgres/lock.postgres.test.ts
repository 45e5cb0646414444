import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "@braid/testbed";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import {
  claimAs,
  completion,
  enqueued,
  putPlan,
  queuedRow,
  queueSteps,
  startRun,
  stepRow,
} from "../contract/fixtures.ts";
import type { RunDriver } from "../contract/run-driver.ts";
import type { LockedRuns, Store } from "../port.ts";
import type { RunCommit } from "../run-commit.ts";
import { createPostgresStore } from "../postgres.ts";
import { ScratchLinks } from "./scratch-links.ts";

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const stores: Store[] = [];
  let proxy: TcpProxy | null = null;
  beforeEach(() => scratch.next());
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await proxy?.close();
    proxy = null;
  });
  afterAll(() => scratch.remove());

  async function open(url = scratch.url): Promise<Store> {
    const store = createPostgresStore({ url });
    stores.push(store);
    await store.open();
    await putPlan(store);
    return store;
  }

  async function openThroughProxy(): Promise<Store> {
    proxy = await TcpProxy.start(scratch.url);
    return open(proxy.url(scratch.url));
  }

  const lock = (store: Store, run: RunDriver): Promise<LockedRuns> =>
    store.lock!([{ runId: run.id, version: run.version }]);

  const kindOf = async (answers: ReturnType<Store["commit"]>): Promise<string> => (await answers).answers[0]!.kind;

  const traced = (run: RunDriver): RunCommit => run.next({ trace: [{ type: "step.waiting" }] });

  test("runs that are locked are written by nobody else until they are committed, and are read as others have left them", async () => {
    const [store, other] = [await open(), await open()];
    const run = await startRun(other);
    const stale = run.version;
    await run.commit({
      steps: [stepRow(1, { status: "running", attempt: 1, attemptsUsed: 1 })],
      trace: [{ type: "step.started" }],
    });
    const locked = await store.lock!([{ runId: run.id, version: stale }]);
    expect(locked.loaded).toMatchObject([{ version: run.version, run: { traceSeq: 1 }, steps: [{ step: 1 }] }]);
    const commit = traced(run);
    const rival = other.commit([traced(run)]);
    const first = await Promise.race([rival.then(() => "rival"), sleep(100).then(() => "nobody")]);
    expect(first).toBe("nobody");
    expect(await kindOf(locked.commit([commit]))).toBe("accepted");
    expect(await kindOf(rival)).toBe("conflict");
    const next = await lock(store, Object.assign(run, { version: run.version + 1 }));
    expect(next.loaded).toEqual(["same"]);
    await next.release();
  });

  test("a lock that is released leaves nothing behind", async () => {
    const [store, other] = [await open(), await open()];
    const run = await startRun(other);
    const locked = await lock(store, run);
    await locked.release();
    await run.commit({ trace: [{ type: "step.waiting" }] });
    expect((await store.load(run.id))?.version).toBe(2);
  });

  test("a commit under a lock that had to be waited for has the time of the commit, not of the waiting", async () => {
    const [store, other] = [await open(), await open()];
    const run = await startRun(other);
    const holding = await lock(other, run);
    const waiting = lock(store, run);
    await sleep(700);
    await holding.release();
    const locked = await waiting;
    const lease = { worker: "w1", token: "t1", forMs: 1_000 };
    const { now, answers } = await locked.commit([
      run.next({ steps: [queuedRow(0)], enqueue: [enqueued(0, { lease })] }),
    ]);
    expect(answers[0]!.kind).toBe("accepted");
    const [[at, leaseUntil]] = (await scratch.query(
      "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint, lease_until from steps",
    )) as [[number, number]];
    expect(at - now).toBeLessThan(300);
    expect(leaseUntil - at).toBeGreaterThan(700);
  });

  test("a claim that had to wait for a limit takes its leases from the time at which it got them", async () => {
    const [store, other] = [await open(), await open()];
    await queueSteps(other, 1, { limits: [{ name: "db", max: 5, rate: null }] });
    const holder = scratch.open();
    await holder.rows({ name: "", text: `insert into ${scratch.names.table("limits")} values ('db', 0)` });
    let claiming: ReturnType<Store["claim"]> | null = null;
    await holder.transaction(async (transaction) => {
      await transaction.run(`select from ${scratch.names.table("limits")} for update`);
      claiming = claimAs(store, "w1", { leaseMs: 1_000 });
      await sleep(700);
    });
    const { now, tasks } = await claiming!;
    expect(tasks).toHaveLength(1);
    const [[at, leaseUntil]] = (await scratch.query(
      "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint, lease_until from steps",
    )) as [[number, number]];
    expect(at - now).toBeLessThan(300);
    expect(leaseUntil - at).toBeGreaterThan(700);
  });

  test.each(["cutAfter", "cutBefore"] as const)(
    "a commit under a lock whose connection breaks (%s) is repeated without harm",
    async (cut) => {
      const store = await openThroughProxy();
      const run = await startRun(store);
      const locked = await lock(store, run);
      const commit = traced(run);
      const rule = proxy![cut]((bytes) => bytes.includes(commit.commitId));
      await expect(locked.commit([commit])).rejects.toMatchObject({ code: "store_unavailable" });
      expect(rule.hits).toBe(1);
      const kind = await kindOf(store.commit([commit]));
      // The end of the transaction went with the commit, unless it was in a packet of its own.
      expect(cut === "cutAfter" ? ["repeat", "accepted"] : ["accepted"]).toContain(kind);
      const { version, run: row } = (await store.load(run.id))!;
      expect([version, row.traceSeq]).toEqual([2, 1]);
      expect(await store.readTrace(run.id, 0, 10)).toHaveLength(1);
    },
  );

  test("a run that another process holds does not keep the claims and heartbeats of this one waiting", async () => {
    const [store, other] = [await open(), await open()];
    const run = await queueSteps(other, 2);
    const { tasks } = await claimAs(store, "w1", { queues: [{ queue: "default", limit: 1 }] });
    const holding = await lock(other, run);
    const committing = store.commit([run.next(completion(tasks[0]!))]);
    const began = performance.now();
    const { leases } = await store.heartbeat({
      worker: "w1",
      leaseMs: 15_000,
      leases: tasks.map(({ runId, step, task, token }) => ({ runId, step, task, token })),
    });
    expect(leases).toEqual([{ kind: "renewed", stopCause: null }]);
    expect((await claimAs(store, "w1")).tasks).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(500);
    await holding.release();
    expect(await kindOf(committing)).toBe("accepted");
  });
});
