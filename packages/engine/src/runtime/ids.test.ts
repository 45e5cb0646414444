import { expect, test } from "vitest";
import { NameSource, newRunId, systemRandom } from "./ids.ts";

test("run ids are UUIDs of version 7 that sort by the time they were made", () => {
  const ids = [1, 2, 2 ** 20, 2 ** 41].map((now) => newRunId(now, systemRandom));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.toSorted()).toEqual(ids);
  expect(Number.parseInt(ids[3]!.replaceAll("-", "").slice(0, 12), 16)).toBe(2 ** 41);
});

test("no two names are the same, not even of two sources", () => {
  const sources = [new NameSource(systemRandom), new NameSource(systemRandom)];
  const names = sources.flatMap((source) => Array.from({ length: 100 }, () => source.next()));
  expect(new Set(names).size).toBe(200);
});
