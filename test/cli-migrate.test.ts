import { PostgresServer } from "@braid/testbed";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workbench } from "./support/braid.ts";
import type { Finished } from "./support/braid.ts";
import { query } from "./support/sql.ts";

/** `braid migrate` for those whose workers may not create tables, and what a store says that a build cannot work on. */

let server: PostgresServer;
let bench: Workbench;

beforeAll(async () => {
  server = await PostgresServer.start(18, { settings: { fsync: false } });
  bench = new Workbench();
  bench.write("one.yaml", 'name: one\nsteps: [{ id: a, run: "true" }]\n');
});
afterAll(async () => {
  bench.remove();
  await server.stop();
});

const braid = (url: string, ...args: readonly string[]): Promise<Finished> => bench.braid([...args, "--store", url]);

const as = (user: string, url: string): string => url.replace("postgres@", `${user}@`);

test("--check says what is missing with exit code 1, and changes nothing", async () => {
  const url = await server.createDatabase("checked");
  const before = await braid(url, "migrate", "--check");
  expect(before.code).toBe(1);
  expect(before.stdout).toMatch(/^missing 1: .+\n[^]*no store yet, \d+ migrations missing\n$/);
  expect((await braid(url, "migrate", "--check")).stdout).toBe(before.stdout);

  const applied = await braid(url, "migrate");
  expect([applied.code, applied.stderr]).toEqual([0, ""]);
  expect(applied.stdout).toMatch(/^applied 1: .+\n[^]*up to date\n$/);
  const after = await braid(url, "migrate", "--check");
  expect(after.code).toBe(0);
  expect(after.stdout).toMatch(/version \d+, up to date\n$/);
  expect((await braid(url, "migrate")).stdout).toBe(after.stdout);
});

test("--print gives a script that does the same", async () => {
  const url = await server.createDatabase("printed");
  const { code, stdout } = await braid(url, "migrate", "--print");
  expect(code).toBe(0);
  await query(url, stdout);
  expect((await braid(url, "migrate", "--check")).code).toBe(0);
  expect((await braid(url, "migrate", "--print")).stdout).toMatch(/^-- Nothing to do/);
  expect((await braid(url, "run", "one.yaml", "--quiet")).code).toBe(0);
});

test("a role with the printed rights works on the store; one without is told what to do", async () => {
  const url = await server.createDatabase("granted");
  await query(server.url(), "create role limited login", "create role nobody login");
  const early = await braid(as("limited", url), "run", "one.yaml");
  expect(early.code).toBe(3);
  expect(early.stderr).toMatch(/^braid: .*holds no store yet.*Run `braid migrate`.*\n$/);
  expect((await braid(as("limited", url), "migrate")).code).toBe(3);

  await braid(url, "migrate");
  const { stdout } = await braid(url, "migrate", "--grants", "limited");
  await query(url, stdout);
  const run = await braid(as("limited", url), "run", "one.yaml", "--quiet");
  expect(run.code, run.stderr).toBe(0);
  expect((await braid(as("limited", url), "prune", "--keep", "0")).code).toBe(0);

  for (const args of [["runs", "list"], ["worker"]]) {
    const { code, stderr } = await braid(as("nobody", url), ...args);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^braid: The store `postgres:.+permission denied.+Grant the user the rights.+\n$/);
  }
});

test("a store that is too new, and a schema of another program, are left alone", async () => {
  const url = await server.createDatabase("newer");
  await braid(url, "migrate");
  await query(url, "update braid.schema_version set version = 99, oldest_build = 99");
  await query(url, "create schema other", "create table other.runs (id text)");
  for (const args of [["migrate"], ["migrate", "--check"], ["worker"], ["runs", "list"], ["run", "one.yaml"]]) {
    const newer = await braid(url, ...args);
    expect([newer.code, newer.stdout]).toEqual([3, ""]);
    expect(newer.stderr).toMatch(/^braid: .*version 99.*Use a newer build.*\n$/);
    const other = await braid(`${url}?schema=other`, ...args);
    expect([other.code, other.stdout]).toEqual([3, ""]);
    expect(other.stderr).toMatch(/^braid: .*tables of another program.*`\?schema=NAME`.*\n$/);
  }
});

test("an SQLite store is migrated by whoever opens it", async () => {
  const { code, stdout } = await braid("sqlite:here.db", "migrate", "--check");
  expect([code, stdout]).toEqual([0, expect.stringContaining("is migrated by whoever opens it")]);
  const { code: refused, stderr } = await braid("sqlite:here.db", "migrate", "--print");
  expect([refused, stderr]).toEqual([2, expect.stringContaining("nothing to print")]);
});
