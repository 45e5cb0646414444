import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { isBraidError } from "../errors.ts";
import { runColumns, stepColumns } from "./codec.ts";
import { claimOne, enqueued, queuedRow, queueSteps, startRun, stepRow } from "./contract/fixtures.ts";
import { chainPlan } from "./contract/plan.ts";
import type { Store } from "./port.ts";
import { createSqliteStore } from "./sqlite.ts";
import { openDatabase } from "./sqlite/open-database.ts";
import { applicationId, schemaVersion } from "./sqlite/schema.ts";

const directory = mkdtempSync(join(tmpdir(), "braid-sqlite-"));
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let path = "";
let files = 0;
beforeEach(() => {
  files += 1;
  path = join(directory, `${files}.db`);
});

async function opened(patienceMs?: number): Promise<Store> {
  const store = createSqliteStore(patienceMs === undefined ? { path } : { path, patienceMs });
  await store.open();
  return store;
}

/** What another program sees in the file. */
function query(sql: string): unknown[] {
  const database = new Database(path);
  try {
    return database.prepare(sql).raw(true).all();
  } finally {
    database.close();
  }
}

/** What another program does to the file. */
function change(sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

test("makes its file for the owner alone, and a .braid directory that git ignores", async () => {
  const home = join(directory, "project");
  mkdirSync(home);
  path = join(home, ".braid", "braid.db");
  const store = await opened();
  await store.putRanks("r", [1]);
  expect(modeOf(join(home, ".braid"))).toBe(0o700);
  expect(readFileSync(join(home, ".braid", ".gitignore"), "utf8")).toBe("*\n");
  expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
  await store.close();
});

test("leaves everything in the one file when it is closed", async () => {
  const store = await opened();
  await store.putRanks("r", [1]);
  await store.close();
  expect(statSync(`${path}-wal`).size).toBe(0);
  expect(query("select * from ranks")).toEqual([["r", "[1]"]]);
});

test("goes on with an existing file, and may be opened again after it was closed", async () => {
  const store = await opened();
  await store.putRanks("r", [1]);
  await store.close();
  await expect(store.getRanks("r")).rejects.toMatchObject({ code: "store_closed" });
  expect(() => store.onChange(() => {})).toThrow("is not open");
  await store.open();
  expect(await store.getRanks("r")).toEqual([1]);
  await store.close();
  await store.close();
});

test("lets the writers in line finish before it is closed", async () => {
  const store = await opened();
  const written = store.putRanks("r", [1]);
  await store.close();
  await written;
  expect(query("select * from ranks")).toEqual([["r", "[1]"]]);
});

test("waits for the disk at each durable write, and for all when one of several is durable", async () => {
  const connection = await openDatabase(path, 100);
  // 1 is NORMAL, 2 is FULL.
  const synchronous = (): unknown => connection.row("pragma synchronous")?.[0];
  expect(connection.row("pragma journal_mode")).toEqual(["wal"]);
  expect(await connection.write(synchronous, "lazy")).toBe(1);
  expect(await connection.write(synchronous)).toBe(2);
  expect(await connection.write(synchronous, "lazy")).toBe(1);
  const both = [connection.write(synchronous, "lazy"), connection.write(synchronous, "durable")];
  expect(await Promise.all(both)).toEqual([2, 2]);
  await connection.close();
});

test("runs a statement with its own values, whatever was done with it before", async () => {
  const connection = await openDatabase(path, 100);
  const sql = "select json_extract(?, '$.a')";
  expect(connection.rows(sql, ['{"a":1}'])).toEqual([[1]]);
  expect(connection.row(sql, ['{"a":2}'])).toEqual([2]);
  expect(() => connection.row(sql, ["no JSON"])).toThrow("malformed JSON");
  expect(connection.row(sql, ['{"a":3}'])).toEqual([3]);
  expect(() => connection.rows(sql, ["no JSON"])).toThrow("malformed JSON");
  expect(connection.rows(sql, ['{"a":4}'])).toEqual([[4]]);
  await connection.close();
});

test("makes no directory but .braid", async () => {
  path = join(directory, "missing", "braid.db");
  const error = await opened().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "StoreError", code: "store_cannot_open" });
  expect(isBraidError(error)).toBe(true);
  expect((error as Error).message).toContain(path);
  expect(existsSync(join(directory, "missing"))).toBe(false);
});

test("says that a directory is no file", async () => {
  path = directory;
  await expect(opened()).rejects.toMatchObject({ code: "store_cannot_open" });
});

test("says that a file is no database", async () => {
  writeFileSync(path, "This is not a database, but a text that is long enough to look at.\n".repeat(20));
  await expect(opened()).rejects.toMatchObject({ code: "store_not_a_store", message: expect.stringContaining(path) });
});

test("does not touch the database of another program", async () => {
  change("create table notes (text)");
  await expect(opened()).rejects.toMatchObject({
    code: "store_not_a_store",
    message: expect.stringContaining("another program"),
  });
  expect(query("select name from sqlite_schema")).toEqual([["notes"]]);
});

test("refuses a schema that is newer than it knows, and says which", async () => {
  await (await opened()).close();
  change(`pragma user_version = ${schemaVersion + 1}`);
  await expect(opened()).rejects.toMatchObject({
    code: "store_too_new",
    details: { version: schemaVersion + 1, supported: schemaVersion },
  });
});

test("says that a file is damaged", async () => {
  const store = await opened();
  await queueSteps(store, 50);
  await store.close();
  const bytes = readFileSync(path);
  path = join(directory, "damaged.db");
  // The header stays: it is still a database, but none of its pages can be read.
  writeFileSync(path, bytes.fill(0xa5, 100));
  await expect(opened()).rejects.toMatchObject({ code: "store_corrupt", message: expect.stringContaining(path) });
});

test("says that it cannot write to a file of somebody else", async () => {
  await (await opened()).close();
  chmodSync(path, 0o444);
  rmSync(`${path}-wal`, { force: true });
  rmSync(`${path}-shm`, { force: true });
  const isRoot = process.geteuid?.() === 0;
  // Root may write everywhere, so it becomes nobody for the length of the attempt.
  if (isRoot) process.seteuid?.(65_534);
  else chmodSync(directory, 0o555);
  try {
    const error = await opened().catch((reason: unknown) => reason);
    expect((error as { code: string }).code).toMatch(/^store_(read_only|cannot_open)$/);
    expect((error as Error).message).toContain("rights");
  } finally {
    if (isRoot) process.seteuid?.(0);
    else chmodSync(directory, 0o755);
  }
});

test("waits for another writer without holding up the process, and gives up when its patience ends", async () => {
  const store = await opened(150);
  const other = new Database(path);
  other.exec("begin immediate");
  let ticks = 0;
  const ticking = setInterval(() => (ticks += 1), 5);
  await expect(store.putRanks("r", [1])).rejects.toMatchObject({ code: "store_busy" });
  expect(ticks).toBeGreaterThan(3);
  const second = store.putRanks("r", [2]);
  setTimeout(() => other.exec("commit"), 15);
  await second;
  clearInterval(ticking);
  expect(await store.getRanks("r")).toEqual([2]);
  other.close();
  await store.close();
});

test("reads while another process is writing", async () => {
  const store = await opened();
  await store.putRanks("r", [1]);
  const other = new Database(path);
  other.exec("begin immediate; insert into ranks values ('x', '[]')");
  expect(await store.getRanks("r")).toEqual([1]);
  expect(await store.getRanks("x")).toBeNull();
  other.exec("rollback");
  other.close();
  await store.close();
});

test("refuses a row that contradicts the life of a row, and keeps the other runs of the call", async () => {
  const store = await opened();
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
  const store = await opened();
  const run = await queueSteps(store);
  const { token } = await claimOne(store);
  await run.commit({ closes: [{ step: 0, task: -1, attempt: 1 }] });
  const row = "select dispatch, worker, lease_token, lease_until from steps";
  expect(query(row)).toEqual([[null, "w1", token, null]]);
  await run.commit({ enqueue: [enqueued(0, { attempt: 2 })] });
  expect(query(row)).toEqual([["queued", null, null, null]]);
  await store.close();
});

test("keeps rows of more shapes than it keeps statements for", async () => {
  const store = await opened();
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

test("writes for all who wait with one wait for the disk, and fails only those who fail", async () => {
  const store = await opened();
  const workflow = { name: "release", hash: "hash-1", definition: {}, plan: chainPlan("release", ["a", "b"]) };
  await store.putWorkflow(workflow);
  const before = statSync(`${path}-wal`).size;
  const unknown = { id: "s1", runId: "nobody", name: "go", verdict: "signal", payload: 1 } as const;
  const results = await Promise.allSettled([
    ...Array.from({ length: 20 }, () => startRun(store)),
    store.putSignal(unknown),
    store.putRanks("r", [1]),
  ]);
  expect(results.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 20 }, () => "fulfilled"),
    "rejected",
    "fulfilled",
  ]);
  expect((await store.listRuns({ limit: 100 })).length).toBe(20);
  expect(await store.getRanks("r")).toEqual([1]);
  // Twenty-one transactions would each have written the pages they share anew.
  expect(statSync(`${path}-wal`).size - before).toBeLessThan(30 * 4_096);
  await store.close();
});

test("lets the writers of one process in by the order in which they came", async () => {
  const store = await opened();
  const other = new Database(path);
  other.exec("begin immediate");
  // The first of each pair is kept. Were they to come in by chance, one of ten pairs would most likely be the other way round.
  const ids = Array.from({ length: 10 }, (_, index) => `ranks-${index}`);
  const writes = ids.flatMap((id) => [store.putRanks(id, [1]), store.putRanks(id, [2])]);
  setTimeout(() => other.exec("rollback"), 15);
  await Promise.all(writes);
  expect(await Promise.all(ids.map((id) => store.getRanks(id)))).toEqual(ids.map(() => [1]));
  other.close();
  await store.close();
});

test("names no run that is gone when it is given something that is no text", async () => {
  const store = await opened();
  // A boolean would end the process inside the driver.
  await expect(store.load(true as unknown as string)).rejects.toThrow("not a boolean");
  await store.close();
});

test("never goes back in time, even if the clock does", async () => {
  let now = 5_000;
  const store = createSqliteStore({ path, now: () => now });
  await store.open();
  expect((await store.commit([])).now).toBe(5_000);
  now = 1_000;
  expect((await store.commit([])).now).toBe(5_000);
  await store.close();
});

test("tells a listener once of each change by others, of none of its own, until it is taken away", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const store = await opened();
  const other = await opened();
  const heard = vi.fn<() => void>();
  const forget = store.onChange(heard);
  await store.putRanks("own", [1]);
  vi.advanceTimersByTime(1_000);
  expect(heard).toHaveBeenCalledTimes(0);
  await other.putRanks("a", [1]);
  // However slow the polling has become, it notices within a quarter of a second, and is fast again afterwards.
  vi.advanceTimersByTime(250);
  expect(heard).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(heard).toHaveBeenCalledTimes(1);
  await other.putRanks("b", [1]);
  vi.advanceTimersToNextTimer();
  expect(heard).toHaveBeenCalledTimes(2);
  await other.putRanks("c", [1]);
  vi.advanceTimersByTime(20);
  expect(heard).toHaveBeenCalledTimes(3);
  forget();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  await other.close();
  await store.close();
});

interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
}

test.each([
  ["runs", runColumns],
  ["steps", stepColumns],
])("has every column of the codec in table %s, of its kind", async (table, columns) => {
  await (await opened()).close();
  const database = new Database(path);
  const found = database.prepare(`pragma table_info(${table})`).all() as TableColumn[];
  database.close();
  const byName = new Map(found.map(({ name, type, notnull }) => [name, { type, isNullable: notnull === 0 }]));
  const types = { integer: "INTEGER", boolean: "INTEGER", real: "REAL", text: "TEXT", json: "TEXT" };
  const expected = columns.map(({ name, kind, isNullable }) => [name, { type: types[kind], isNullable }] as const);
  expect(expected.map(([name]) => [name, byName.get(name)])).toEqual(expected);
});

test("has the schema of the golden dump", async () => {
  await (await opened()).close();
  const rows = query("select sql from sqlite_schema where sql is not null order by rowid") as [string][];
  expect(query("pragma application_id")).toEqual([[applicationId]]);
  expect(query("pragma user_version")).toEqual([[schemaVersion]]);
  const dump = [`-- user_version ${schemaVersion}`, ...rows.map(([sql]) => `${sql};`)].join("\n\n");
  await expect(`${dump}\n`).toMatchFileSnapshot("./sqlite/schema.golden.sql");
});

test("shows every run in plain SQL, with steps that were never touched", async () => {
  const store = await opened();
  const workflow = { name: "release", hash: "hash-1", definition: {}, plan: chainPlan("release", ["a", "b", "c"]) };
  await store.putWorkflow(workflow);
  const run = await startRun(store, {
    change: { steps: [queuedRow(0)], enqueue: [enqueued(0)], run: { remaining: 3 } as never },
  });
  const states = "select step, status, remaining_deps, remaining_tasks, initial_tasks, attempts from v_step_states";
  const tasks = "select step, task_index, status, attempts, claimed_by from v_step_tasks";
  const runs = "select run_id, status, total_steps, completed_steps, remaining_steps, started_at from v_runs";
  expect(query(states)).toEqual([
    ["a", "ready", 0, 1, 1, 1],
    ["b", "pending", 1, 1, 1, 0],
    ["c", "pending", 1, null, null, 0],
  ]);
  expect(query(tasks)).toEqual([
    ["a", 0, "queued", 1, null],
    ["b", 0, "pending", 0, null],
  ]);
  const queues = [{ queue: "default", limit: 1 }];
  await store.claim({ worker: "w1", leaseMs: 1_000, queues, handlers: null, runIds: null });
  expect(query(tasks)[0]).toEqual(["a", 0, "queued", 1, "w1"]);

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
  expect(query(states)).toEqual([
    ["a", "completed", 0, 0, 1, 1],
    ["b", "completed", 0, 0, 1, 0],
    ["c", "running", 0, 4, 5, 0],
  ]);
  expect(query(tasks)).toEqual([
    ["a", 0, "completed", 1, "w1"],
    ["b", 0, "completed", 0, null],
    ["c", 0, "completed", 2, null],
    ["c", 1, "pending", 0, null],
  ]);
  expect(query(runs)).toEqual([[run.id, "running", 3, 2, 1, "2025-11-20T16:43:20.123Z"]]);
  expect(query('select step, depends_on, "on", port, depends_on_status from v_step_dependencies')).toEqual([
    ["b", "a", "success", null, "completed"],
    ["c", "b", "success", null, "completed"],
  ]);
  await store.close();
});
