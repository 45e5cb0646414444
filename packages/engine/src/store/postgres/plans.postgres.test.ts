import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { nextOf, startChain } from "../contract/chains.ts";
import {
  claimAs,
  claimOne,
  completion,
  enqueued,
  leaseOf,
  newRun,
  putPlan,
  queuedRow,
  startRun,
  stepRow,
} from "../contract/fixtures.ts";
import { RunDriver } from "../contract/run-driver.ts";
import type { Store } from "../port.ts";
import { createPostgresStore } from "../postgres.ts";
import { ScratchLinks } from "./scratch-links.ts";

/** Tables that grow with the work that has been done: whoever reads one as a whole gets slower every day. */
const growing = ["runs", "run_payloads", "steps", "step_items", "trace_events", "limit_slots", "signals", "logs"];

/** Those of them that the test fills. */
const filled: ReadonlySet<string> = new Set(["runs", "run_payloads", "steps", "trace_events"]);

const finished = 20_000;

describeEachServer((server) => {
  // Statistics come when a session ends, and those of a pooler do not end. What it changes is that the store cannot make settings.
  const scratch = new ScratchLinks({ url: server.directUrl });
  beforeEach(async () => {
    await scratch.next();
    await open().then((store) => store.close());
    for (const table of growing) await scratch.query(`alter table ${table} set (autovacuum_enabled = off)`);
  });
  afterAll(() => scratch.remove());

  async function open(): Promise<Store> {
    const url = server.isPooled ? `${scratch.url}?pooler=transaction&listen=off` : scratch.url;
    const store = createPostgresStore({ url });
    await store.open();
    await putPlan(store);
    return store;
  }

  /** Scans of whole tables since the last time, by table. */
  async function wholeScans(): Promise<ReadonlyMap<string, number>> {
    const rows = await scratch.query(
      `select relname, seq_scan from pg_stat_user_tables where schemaname = 'braid' and relname = any ($1::text[])`,
      [`{${growing.join(",")}}`],
    );
    return new Map(rows.map(([name, count]) => [name as string, count as number]));
  }

  /** Everything that is asked again and again while runs are carried on. */
  async function work(store: Store): Promise<void> {
    const limits = [{ name: "db", max: 2, rate: { count: 10, perMs: 1, burst: 5 } }];
    const run = await startRun(store, {
      change: {
        steps: [queuedRow(0), queuedRow(1)],
        enqueue: [enqueued(0), enqueued(1, { limits })],
        trace: [{ type: "step.ready" }],
      },
    });
    const tasks = [...(await claimAs(store, "w1")).tasks, ...(await claimAs(store, "w2")).tasks];
    expect(tasks).toHaveLength(2);
    await store.heartbeat({ worker: "w1", leaseMs: 60_000, leases: tasks.map(leaseOf) });
    for (const task of tasks) {
      const { fences, steps, closes } = completion(task);
      await run.commit({
        fences: fences!,
        steps: steps!,
        closes: closes!,
        newSteps: new Set(),
        trace: [{ type: "task.completed" }],
      });
    }
    const chains = [await startChain(store), await startChain(store)];
    await store.commit(chains.map((chain) => nextOf(chain, 0)));
    const map = stepRow(2, { status: "running", nextItem: 1 });
    const item = queuedRow(2, 0);
    await run.commit({
      steps: [map, item],
      newSteps: new Set([map, item]),
      enqueue: [enqueued(2, { task: 0 })],
      payloads: [{ step: 2, task: -1, items: [1, 2, 3] }],
      followUpMs: 1,
    });
    const claimed = await claimOne(store, "w1", { leaseMs: 1 });
    await store.sweep({ limit: 100, deadWorkers: ["w9"] });
    await run.store.commit([
      Object.assign(run.next(), {
        expectedVersion: run.version + 1,
        cancels: [{ ...claimed, cause: "run_canceled", ifQueued: false }],
      }),
    ]);
    await store.putSignal({ id: "s1", runId: run.id, name: "go", verdict: "signal", payload: null });
    await store.dueRuns(100);
    await store.listSignals(run.id);
    await store.load(run.id);
    await store.loadNewer(run.id, 2);
    await store.readPayloads([
      { kind: "input", runId: run.id },
      { kind: "step", runId: run.id, step: 2, task: -1 },
    ]);
    await store.readTrace(run.id, 0, 10);
    await store.appendLogs([{ runId: run.id, step: 0, task: -1, attempt: 1, at: 1, stream: "log", text: "line" }]);
    await store.readLogs({ runId: run.id });
    const locked = await store.lock!([{ runId: run.id, version: 1 }]);
    await locked.release();
    await store.listRuns({ parent: run.id, limit: 10 });
    await store.listRuns({ workflow: "release", group: "g", status: ["queued", "running"], limit: 10 });
    await store.listRuns({ status: ["running"], limit: 10 });
    const again = newRun({ idempotencyKey: "k" });
    const driver = new RunDriver(store, again.id);
    Object.assign(driver.row, { status: "running", queuedAt: 1, lastAt: 1, startedAt: 1 });
    for (let time = 0; time < 2; time += 1)
      await store.createRuns([{ run: { ...again, group: "g" }, commit: driver.next() }]);
  }

  /**
   * Behind a pooler the store makes no settings: every statement is planned anew, and a table of a few rows is rightly read as a
   * whole.
   */
  const isTold = (table: string): boolean => !server.isPooled || filled.has(table);

  async function expectNoWholeScans(): Promise<void> {
    await scratch.query("select pg_stat_force_next_flush()");
    const before = await wholeScans();
    const store = await open();
    await work(store);
    await store.close();
    // The sessions are gone when the server says so.
    for (let tries = 0; tries < 100; tries += 1) {
      const [[sessions]] = (await scratch.query(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      )) as [[number]];
      if (sessions === 0) break;
    }
    const after = await wholeScans();
    const scanned = growing.filter((table) => isTold(table) && after.get(table) !== before.get(table));
    expect(scanned).toEqual([]);
  }

  /** Copies of one finished run, of which the planner knows nothing yet. */
  async function fill(): Promise<void> {
    const store = await open();
    const run = await startRun(store, {
      change: { steps: [stepRow(0, { status: "completed", attempt: 1, attemptsUsed: 1 })] },
    });
    await run.commit({
      run: Object.assign(run.row, { status: "completed", finishedAt: 2_000 }),
      trace: [{ type: "run.completed" }],
    });
    await store.close();
    const id = "('01800000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";
    const copy = async (
      table: string,
      key: string,
      { more = "", ...changed }: Readonly<Record<string, string>> = {},
    ) => {
      const [[columns]] = (await scratch.query(
        `select string_agg(quote_ident(attname), ',' order by attnum) from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
        [table],
      )) as [[string]];
      const values = columns.split(",").map((name) => (name === key ? id : (changed[name] ?? `t.${name}`)));
      await scratch.query(
        `insert into ${table} (${columns}) select ${values.join(",")}
         from (select * from ${table} limit 1) t, generate_series(1, ${finished}) n ${more}`,
      );
    };
    await copy("runs", "id");
    await copy("run_payloads", "run_id");
    await copy("steps", "run_id", { more: ", generate_series(0, 9) s", step_index: "s" });
    await copy("trace_events", "run_id", { more: ", generate_series(1, 2) s", first_seq: "s", last_seq: "s" });
  }

  // Behind a pooler plans are made for each statement, and an empty table is best read whole.
  test.skipIf(server.isPooled)(
    "no statement of the engine reads a whole table of a store that is empty (skipped behind a pooler: it is best read whole)",
    expectNoWholeScans,
  );

  test("no statement of the engine reads a whole table where 200,000 steps have ended that nobody has counted", async () => {
    await fill();
    await expectNoWholeScans();
  });

  test("no statement of the engine reads a whole table whose statistics were taken when it was empty", async () => {
    await scratch.query("analyze");
    await fill();
    await expectNoWholeScans();
  });
});
