import { RunRow } from "@braid/core";
import Database from "libsql";
import { afterAll, beforeEach, expect, test } from "vitest";
import { encodeRun, encodeStep, runColumns, stepColumns } from "../codec.ts";
import type { Cell } from "../codec.ts";
import { claimOne, enqueued, queuedRow, queueSteps, startRun, stepRow } from "../contract/fixtures.ts";
import { chainPlan } from "../contract/plan.ts";
import { RunDriver } from "../contract/run-driver.ts";
import { applicationId, migrations, schemaVersion } from "./schema.ts";
import { ScratchFiles } from "./scratch-files.ts";

const files = new ScratchFiles();
beforeEach(() => files.next());
afterAll(() => files.remove());

interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
}

test.each([
  ["runs", runColumns],
  ["steps", stepColumns],
])("has every column of the codec in table %s, of its kind", async (table, columns) => {
  await (await files.open()).close();
  const database = new Database(files.path);
  const found = database.prepare(`pragma table_info(${table})`).all() as TableColumn[];
  database.close();
  const byName = new Map(found.map(({ name, type, notnull }) => [name, { type, isNullable: notnull === 0 }]));
  const types = { integer: "INTEGER", boolean: "INTEGER", real: "REAL", text: "TEXT", json: "TEXT" };
  const expected = columns.map(({ name, kind, isNullable }) => [name, { type: types[kind], isNullable }] as const);
  expect(expected.map(([name]) => [name, byName.get(name)])).toEqual(expected);
});

test("has the schema of the golden dump", async () => {
  await (await files.open()).close();
  const rows = files.query("select sql from sqlite_schema where sql is not null order by rowid") as [string][];
  expect(files.query("pragma application_id")).toEqual([[applicationId]]);
  expect(files.query("pragma user_version")).toEqual([[schemaVersion]]);
  const dump = [`-- user_version ${schemaVersion}`, ...rows.map(([sql]) => `${sql};`)].join("\n\n");
  await expect(`${dump}\n`).toMatchFileSnapshot("./schema.golden.sql");
});

test("refuses a row that contradicts the life of a row, and keeps the other runs of the call", async () => {
  const store = await files.open();
  const good = await startRun(store);
  const bad = await startRun(store);
  const skippedWithoutReason = stepRow(0, { status: "skipped" });
  const commits = [bad.next({ steps: [stepRow(1), skippedWithoutReason] }), good.next()];
  // Another writer shares the transaction, and loses nothing by it either.
  const [{ answers }] = await Promise.all([store.commit(commits), store.putRanks("r", [1])]);
  expect(await store.getRanks("r")).toEqual([1]);
  expect(answers[0]).toMatchObject({ kind: "rejected", message: expect.stringContaining("skip_reason") });
  expect(answers[1]?.kind).toBe("accepted");
  expect((await store.load(bad.id))?.steps).toEqual([]);
  await store.close();
});

test("keeps the token of the attempt whose report was accepted on its row, until another is queued", async () => {
  const store = await files.open();
  const run = await queueSteps(store);
  const { token } = await claimOne(store);
  await run.commit({ closes: [{ step: 0, task: -1, attempt: 1 }] });
  const row = "select dispatch, worker, lease_token, lease_until from steps";
  expect(files.query(row)).toEqual([[null, "w1", token, null]]);
  await run.commit({ enqueue: [enqueued(0, { attempt: 2 })] });
  expect(files.query(row)).toEqual([["queued", null, null, null]]);
  await store.close();
});

test("keeps rows of more shapes than it keeps statements for", async () => {
  const store = await files.open();
  const counters = [
    "satisfied",
    "dead",
    "neutral",
    "cut",
    "lost",
    "resets",
    "nextItem",
    "failedItems",
    "attempt",
    "items",
  ];
  const rows = Array.from({ length: 700 }, (_, shape) => {
    const fields = counters.map((name, bit) => [name, (shape >> bit) & 1 ? shape + 1 : undefined] as const);
    return stepRow(shape, Object.fromEntries(fields.filter(([, value]) => value !== undefined)));
  });
  const run = await startRun(store, { change: { steps: rows.slice(0, 350) } });
  const payloads = rows.map(({ step }) => ({ step, task: -1, output: step }));
  await run.commit({ steps: rows, payloads, enqueue: rows.map(({ step }) => enqueued(step)) });
  expect((await store.load(run.id))?.steps).toEqual(rows);
  const outputs = await store.readPayloads(rows.map(({ step }) => ({ runId: run.id, kind: "step", step, task: -1 })));
  expect(outputs.map((payload) => payload?.value)).toEqual(rows.map(({ step }) => step));
  await store.close();
});

test("shows every run in plain SQL, with steps that were never touched", async () => {
  const store = await files.open();
  const workflow = { name: "release", hash: "hash-1", definition: {}, plan: chainPlan("release", ["a", "b", "c"]) };
  await store.putWorkflow(workflow);
  const run = await startRun(store, {
    change: { steps: [queuedRow(0)], enqueue: [enqueued(0)], run: { remaining: 3 } as never },
  });
  const states = "select step, status, remaining_deps, remaining_tasks, initial_tasks, attempts from v_step_states";
  const tasks = "select step, task_index, status, attempts, claimed_by from v_step_tasks";
  const runs = "select run_id, status, total_steps, completed_steps, remaining_steps, started_at from v_runs";
  expect(files.query(states)).toEqual([
    ["a", "ready", 0, 1, 1, 1],
    ["b", "pending", 1, 1, 1, 0],
    ["c", "pending", 1, null, null, 0],
  ]);
  expect(files.query(tasks)).toEqual([
    ["a", 0, "queued", 1, null],
    ["b", 0, "pending", 0, null],
  ]);
  const queues = [{ queue: "default", limit: 1 }];
  await store.claim({ worker: "w1", leaseMs: 1_000, queues, handlers: null, runIds: null, resources: {} });
  expect(files.query(tasks)[0]).toEqual(["a", 0, "queued", 1, "w1"]);

  await run.commit({
    run: { completedSteps: 2, startedAt: 1_763_657_000_123 } as never,
    steps: [
      stepRow(0, { status: "completed", attempt: 1, attemptsUsed: 1 }),
      stepRow(1, { status: "completed", satisfied: 1 }),
      stepRow(2, { status: "running", satisfied: 1, items: 5, remaining: 4, completedItems: 1 }),
      stepRow(2, { status: "completed", attempt: 2, attemptsUsed: 2 }, 0),
      stepRow(2, { status: "ready" }, 1),
    ],
    closes: [{ step: 0, task: -1, attempt: 1 }],
    payloads: [{ step: 2, task: 0, output: 7 }],
  });
  expect(files.query(states)).toEqual([
    ["a", "completed", 0, 0, 1, 1],
    ["b", "completed", 0, 0, 1, 0],
    ["c", "running", 0, 4, 5, 0],
  ]);
  expect(files.query(tasks)).toEqual([
    ["a", 0, "completed", 1, "w1"],
    ["b", 0, "completed", 0, null],
    ["c", 0, "completed", 2, null],
    ["c", 1, "pending", 0, null],
  ]);
  expect(files.query(runs)).toEqual([[run.id, "running", 3, 2, 1, "2025-11-20T16:43:20.123Z"]]);
  expect(files.query('select step, depends_on, "on", port, depends_on_status from v_step_dependencies')).toEqual([
    ["b", "a", "success", null, "completed"],
    ["c", "b", "success", null, "completed"],
  ]);
  await store.close();
});

/** A file as the first version of the schema left it: a workflow, a run, a queued and a leased task, a worker. */
function makeFirstVersion(): { readonly runId: string } {
  const runId = "01900000-0000-7000-8000-0000000000f1";
  const database = new Database(files.path);
  database.exec(migrations[0]!);
  database.exec(`pragma user_version = 1; pragma application_id = ${applicationId}`);
  const insert = (table: string, row: Readonly<Record<string, unknown>>): void => {
    const names = Object.keys(row);
    const marks = names.map(() => "?").join(", ");
    database.prepare(`insert into ${table} (${names.join(", ")}) values (${marks})`).run(Object.values(row));
  };
  const plan = JSON.stringify(chainPlan("release", ["build", "test", "publish"]));
  const release = { name: "release", version: 1, hash: "hash-1", definition: "{}", plan };
  insert("workflows", { ...release, kernel_version: 1, created_at: 1_000 });
  const runCells = encodeRun(Object.assign(new RunRow(), { status: "running" }));
  const host = { id: runId, workflow: "release", workflow_version: 1, priority: 0, created_at: 1_000 };
  const commit = { version: 1, last_commit_id: "commit-1", last_commit_version: 1 };
  insert("runs", { ...host, ...commit, ...named(runColumns, runCells) });
  insert("run_payloads", { run_id: runId, input: "{}", meta: "{}" });
  const open = { run_id: runId, version: 1, dispatch_attempt: 1, queue: "default", handler: "command", priority: 0 };
  const lease = { worker: "old", lease_token: "token-1", lease_until: 9e15, claimed_at: 1_000 };
  const queued = { ...open, dispatch: "queued", queued_at: 1_000 };
  insert("steps", { ...named(stepColumns, encodeStep(queuedRow(0))), ...queued });
  insert("steps", { ...named(stepColumns, encodeStep(queuedRow(1))), ...queued, ...lease, dispatch: "leased" });
  insert("workers", { id: "old", host: "h", pid: 1, started_at: 1, name: "n", queues: "[]", seen_at: 1 });
  database.close();
  return { runId };
}

const named = (columns: readonly { readonly name: string }[], cells: readonly Cell[]) =>
  Object.fromEntries(columns.map(({ name }, index) => [name, cells[index]]));

test("brings a file of the first version up to date, with the tasks and runs that are under way in it", async () => {
  const { runId } = makeFirstVersion();
  const store = await files.open();
  expect(files.query("pragma user_version")).toEqual([[schemaVersion]]);
  const claimed = await claimOne(store);
  expect([claimed.runId, claimed.step, claimed.resources]).toEqual([runId, 0, null]);
  const run = Object.assign(new RunDriver(store, runId), { version: 1 });
  Object.assign(run.row, { status: "running" });
  const fences = [{ step: 1, task: -1, token: "token-1" }];
  const limits = [{ name: "db", max: 1, rate: null }];
  await run.commit({ fences, steps: [queuedRow(1)], enqueue: [enqueued(1, { attempt: 2, limits })] });
  expect((await claimOne(store)).step).toBe(1);
  await startRun(store, { run: { group: "eu" } });
  const runs = await store.listRuns({ limit: 10 });
  expect(new Set(runs.map(({ groupPlace }) => groupPlace))).toEqual(new Set([1, null]));
  expect(await store.listWorkers()).toMatchObject([{ id: "old", resources: {} }]);
  await store.close();
});
