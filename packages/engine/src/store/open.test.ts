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
])("takes %s for the store %s", (url, expected) => {
  expect(createStore(url).url).toBe(expected);
});

test("makes nothing before the store is opened, and is ready after", async () => {
  const path = join(directory, "flows.db");
  createStore(path);
  expect(existsSync(path)).toBe(false);
  const store = await openStore(path);
  expect(await store.listRuns({ limit: 1 })).toEqual([]);
  expect(existsSync(path)).toBe(true);
  await store.close();
});

test.each(["postgres://user:secret@db/flows", "postgresql://user:secret@db/flows"])(
  "says that there is no PostgreSQL store yet, without repeating the password",
  (url) => {
    expect(() => createStore(url)).toThrow(
      expect.objectContaining({ code: "store_unsupported", message: expect.not.stringContaining("secret") }),
    );
  },
);

test.each(["redis://localhost", "sqlite:", "", ":memory:", "http://host/file.db"])("refuses the URL `%s`", (url) => {
  expect(() => createStore(url)).toThrow(expect.objectContaining({ code: "store_unsupported" }));
});
