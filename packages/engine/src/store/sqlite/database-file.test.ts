import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { isBraidError } from "../../errors.ts";
import { queueSteps } from "../contract/fixtures.ts";
import { schemaVersion } from "./schema.ts";
import { ScratchFiles } from "./scratch-files.ts";

const files = new ScratchFiles();
beforeEach(() => files.next());
afterAll(() => files.remove());

const modeOf = (file: string): number => statSync(file).mode & 0o777;

test("makes its file for the owner alone, and a .braid directory that git ignores", async () => {
  const home = join(files.directory, "project");
  mkdirSync(home);
  files.path = join(home, ".braid", "braid.db");
  const store = await files.open();
  await store.putRanks("r", [1]);
  expect(modeOf(join(home, ".braid"))).toBe(0o700);
  expect(readFileSync(join(home, ".braid", ".gitignore"), "utf8")).toBe("*\n");
  expect([files.path, `${files.path}-wal`, `${files.path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
  await store.close();
});

test("makes no directory but .braid", async () => {
  files.path = join(files.directory, "missing", "braid.db");
  const error = await files.open().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "StoreError", code: "store_cannot_open" });
  expect(isBraidError(error)).toBe(true);
  expect((error as Error).message).toContain(files.path);
  expect(existsSync(join(files.directory, "missing"))).toBe(false);
});

test("says that a directory is no file", async () => {
  files.path = files.directory;
  await expect(files.open()).rejects.toMatchObject({ code: "store_cannot_open" });
});

test("says that a file is no database", async () => {
  writeFileSync(files.path, "This is not a database, but a text that is long enough to look at.\n".repeat(20));
  await expect(files.open()).rejects.toMatchObject({
    code: "store_not_a_store",
    message: expect.stringContaining(files.path),
  });
});

test("does not touch the database of another program", async () => {
  files.change("create table notes (text)");
  await expect(files.open()).rejects.toMatchObject({
    code: "store_not_a_store",
    message: expect.stringContaining("another program"),
  });
  expect(files.query("select name from sqlite_schema")).toEqual([["notes"]]);
});

test("refuses a schema that is newer than it knows, and says which", async () => {
  await (await files.open()).close();
  files.change(`pragma user_version = ${schemaVersion + 1}`);
  await expect(files.open()).rejects.toMatchObject({
    code: "store_too_new",
    details: { version: schemaVersion + 1, supported: schemaVersion },
  });
});

test("says that a file is damaged", async () => {
  const store = await files.open();
  await queueSteps(store, 50);
  await store.close();
  const bytes = readFileSync(files.path);
  files.path = join(files.directory, "damaged.db");
  // The header stays: it is still a database, but none of its pages can be read.
  writeFileSync(files.path, bytes.fill(0xa5, 100));
  await expect(files.open()).rejects.toMatchObject({
    code: "store_corrupt",
    message: expect.stringContaining(files.path),
  });
});

test("says that it cannot write to a file of somebody else", async () => {
  await (await files.open()).close();
  chmodSync(files.path, 0o444);
  rmSync(`${files.path}-wal`, { force: true });
  rmSync(`${files.path}-shm`, { force: true });
  const isRoot = process.geteuid?.() === 0;
  // Root may write everywhere, so it becomes nobody for the length of the attempt.
  if (isRoot) process.seteuid?.(65_534);
  else chmodSync(files.directory, 0o555);
  try {
    const error = await files.open().catch((reason: unknown) => reason);
    expect((error as { code: string }).code).toMatch(/^store_(read_only|cannot_open)$/);
    expect((error as Error).message).toContain("rights");
  } finally {
    if (isRoot) process.seteuid?.(0);
    else chmodSync(files.directory, 0o755);
  }
});
