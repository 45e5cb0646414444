import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { preparePostgresBinaries } from "./postgres-binaries.ts";
import { temporaryRoot } from "./unprivileged.ts";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(temporaryRoot(), "braid-binaries-"));
  await chmod(root, 0o755);
});

beforeEach(() => {
  vi.stubEnv("TMPDIR", root);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

test("copies that are made at the same time are whole, executable by everybody, and leave no drafts", async () => {
  const [one, other] = await Promise.all([preparePostgresBinaries(18), preparePostgresBinaries(18)]);
  expect(one).toBe(other);
  expect(one.startsWith(root)).toBe(true);
  expect((await readdir(join(one, "bin"))).toSorted()).toEqual(["initdb", "pg_ctl", "postgres"]);
  expect((await stat(join(one, "bin", "postgres"))).mode & 0o777).toBe(0o755);
});

test("has the links of shared libraries that an npm package cannot hold", async () => {
  const binaries = await preparePostgresBinaries(18);
  const libraries = await readdir(join(binaries, "lib"), { withFileTypes: true });
  const links = libraries.filter((entry) => entry.isSymbolicLink());
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter(({ name }) => !existsSync(join(binaries, "lib", name)))).toEqual([]);
});

test("mends a copy that has lost files", async () => {
  const binaries = await preparePostgresBinaries(18);
  const lost = [join(binaries, "bin", "initdb"), join(binaries, "share", "postgresql", "postgres.bki")];
  for (const path of lost) {
    expect(existsSync(path)).toBe(true);
    await rm(path);
  }
  await preparePostgresBinaries(18);
  expect(lost.map((path) => existsSync(path))).toEqual([true, true]);
});

test("refuses a cache that somebody else could have prepared", async () => {
  const elsewhere = await mkdtemp(join(root, "elsewhere-"));
  await chmod(elsewhere, 0o755);
  await symlink(root, join(elsewhere, `braid-testbed-${process.getuid?.()}`));
  vi.stubEnv("TMPDIR", elsewhere);
  await expect(preparePostgresBinaries(18)).rejects.toThrow(/must be a directory of user \d+: remove it/u);
});
