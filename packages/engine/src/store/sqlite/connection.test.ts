import { statSync } from "node:fs";
import Database from "libsql";
import { afterAll, beforeEach, expect, test } from "vitest";
import { putPlan, startRun } from "../contract/fixtures.ts";
import { openDatabase } from "./open-database.ts";
import { ScratchFiles } from "./scratch-files.ts";

const files = new ScratchFiles();
beforeEach(() => files.next());
afterAll(() => files.remove());

test("leaves everything in the one file when it is closed", async () => {
  const store = await files.open();
  await store.putRanks("r", [1]);
  await store.close();
  expect(statSync(`${files.path}-wal`).size).toBe(0);
  expect(files.query("select * from ranks")).toEqual([["r", "[1]"]]);
});

test("lets the writers in line finish before it is closed", async () => {
  const store = await files.open();
  const written = store.putRanks("r", [1]);
  await store.close();
  await written;
  expect(files.query("select * from ranks")).toEqual([["r", "[1]"]]);
});

test("waits for the disk at each durable write, and for all when one of several is durable", async () => {
  const connection = await openDatabase(files.path, 100);
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
  const connection = await openDatabase(files.path, 100);
  const sql = "select json_extract(?, '$.a')";
  expect(connection.rows(sql, ['{"a":1}'])).toEqual([[1]]);
  expect(connection.row(sql, ['{"a":2}'])).toEqual([2]);
  expect(() => connection.row(sql, ["no JSON"])).toThrow("malformed JSON");
  expect(connection.row(sql, ['{"a":3}'])).toEqual([3]);
  expect(() => connection.rows(sql, ["no JSON"])).toThrow("malformed JSON");
  expect(connection.rows(sql, ['{"a":4}'])).toEqual([[4]]);
  await connection.close();
});

test("waits for another writer without holding up the process, and gives up when its patience ends", async () => {
  const store = await files.open(150);
  const other = new Database(files.path);
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
  const store = await files.open();
  await store.putRanks("r", [1]);
  const other = new Database(files.path);
  other.exec("begin immediate; insert into ranks values ('x', '[]')");
  expect(await store.getRanks("r")).toEqual([1]);
  expect(await store.getRanks("x")).toBeNull();
  other.exec("rollback");
  other.close();
  await store.close();
});

test("writes for all who wait with one wait for the disk, and fails only those who fail", async () => {
  const store = await files.open();
  await putPlan(store);
  const before = statSync(`${files.path}-wal`).size;
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
  expect(statSync(`${files.path}-wal`).size - before).toBeLessThan(30 * 4_096);
  await store.close();
});

test("lets the writers of one process in by the order in which they came", async () => {
  const store = await files.open();
  const other = new Database(files.path);
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
  const store = await files.open();
  // A boolean would end the process inside the driver.
  await expect(store.load(true as unknown as string)).rejects.toThrow("not a boolean");
  await store.close();
});
