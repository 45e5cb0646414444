import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createStore, openStore } from "./open.ts";

const directory = mkdtempSync(join(tmpdir(), "braid-open-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ["memory:", "memory:"],
  ["sqlite:flows.db", `sqlite:${resolve("flows.db")}`],
  ["sqlite:/srv/flows.db", "sqlite:/srv/flows.db"],
  ["sqlite:///srv/flows.db", "sqlite:/srv/flows.db"],
  ["SQLite:/srv/flows.db", "sqlite:/srv/flows.db"],
  ["./flows.db", `sqlite:${resolve("flows.db")}`],
  ["/srv/a:b.db", "sqlite:/srv/a:b.db"],
  ["postgres://braid:secret@db:5433/flows?schema=x", "postgres://braid@db:5433/flows?schema=x"],
])("takes %s for the store %s", async (url, expected) => {
  expect((await createStore(url)).url).toBe(expected);
});

test("makes nothing before the store is opened, and is ready after", async () => {
  const path = join(directory, "flows.db");
  await createStore(path);
  expect(existsSync(path)).toBe(false);
  const store = await openStore(path);
  expect(await store.listRuns({ limit: 1 })).toEqual([]);
  expect(existsSync(path)).toBe(true);
  await store.close();
});

test.each(["postgres://user:secret@db/flows?sslmode=never", "postgresql://user:sec ret@d b/flows"])(
  "refuses a broken URL without repeating the password",
  async (url) => {
    const refusal = { code: "store_cannot_open", message: expect.not.stringMatching(/sec/) as string };
    await expect(createStore(url)).rejects.toMatchObject(refusal);
  },
);

test.each(["redis://localhost", "sqlite:", "", ":memory:", "http://host/file.db"])(
  "refuses the URL `%s`",
  async (url) => {
    await expect(createStore(url)).rejects.toMatchObject({ code: "store_unsupported" });
  },
);
