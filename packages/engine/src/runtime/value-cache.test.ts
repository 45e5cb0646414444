import { expect, test } from "vitest";
import type { Payload, PayloadRequest } from "../store/records.ts";
import { ValueCache } from "./value-cache.ts";

const payload = (value: number): Payload => ({
  value,
  patch: null,
  items: null,
  childInput: undefined,
  progress: undefined,
});

function open(mostBytes: number) {
  const asked: PayloadRequest[] = [];
  const cache = new ValueCache(async (requests) => {
    asked.push(...requests);
    return requests.map((request) => (request.kind === "step" && request.step === 9 ? null : payload(asked.length)));
  }, mostBytes);
  return { cache, asked };
}

const run = { runId: "r", epoch: 1 };

test("values are kept by run, epoch, step and task, and a later write adds to what is known", () => {
  const { cache } = open(1_000);
  cache.accept(run, { step: 1, task: -1, items: [1, 2] }, 10);
  cache.accept(run, { step: 1, task: -1, output: null }, 4);
  cache.accept(run, { step: 1, task: 0, output: "first" }, 4);
  expect(cache.get("r", 1, { step: 1, task: -1 })).toMatchObject({ items: [1, 2], output: null });
  expect(cache.get("r", 1, { step: 1, task: 0 })).toMatchObject({ output: "first", items: null });
  expect(cache.get("r", 2, { step: 1, task: 0 })).toBeUndefined();
  cache.accept(run, { step: 1, task: -1, clear: true }, 0);
  expect(cache.get("r", 1, { step: 1, task: -1 })).toMatchObject({ items: null, output: undefined });
});

test("the run that was written longest ago goes when there are too many bytes", () => {
  const { cache } = open(10_000);
  for (const runId of ["a", "b", "a", "c"]) {
    cache.accept({ runId, epoch: 1 }, { step: 0, task: -1, output: runId }, 3_000);
  }
  const found = ["a", "b", "c"].map((runId) => cache.get(runId, 1, { step: 0, task: -1 })?.output);
  expect(found).toEqual(["a", undefined, "c"]);
});

test("small values count for the memory that a row takes, however often it is written", () => {
  const { cache } = open(15_000);
  const write = (runId: string, rows: number): void => {
    for (let step = 0; step < rows; step += 1)
      cache.accept({ runId, epoch: 1 }, { step: step % 50, task: -1, output: null }, 4);
  };
  write("a", 50);
  write("b", 500);
  expect(cache.get("a", 1, { step: 0, task: -1 })?.output).toBe(null);
  write("c", 50);
  expect(cache.get("a", 1, { step: 0, task: -1 })).toBeUndefined();
});

test("a retry of the run takes the place of what was known before, and nothing that comes late brings it back", () => {
  const { cache } = open(1_500);
  cache.accept(run, { step: 1, task: -1, output: "old" }, 700);
  cache.accept({ ...run, epoch: 2 }, { step: 2, task: -1, output: "new" }, 700);
  cache.accept(run, { step: 3, task: -1, output: "late" }, 700);
  expect(cache.get("r", 1, { step: 1, task: -1 })).toBeUndefined();
  expect(cache.get("r", 2, { step: 1, task: -1 })).toBeUndefined();
  expect(cache.get("r", 2, { step: 2, task: -1 })?.output).toBe("new");
  expect(cache.get("r", 1, { step: 3, task: -1 })).toBeUndefined();
});

test("what is read is kept, except for rows that are not there yet", async () => {
  const { cache, asked } = open(10_000);
  const read = await cache.read([
    { ...run, step: -1, task: -1 },
    { ...run, step: 9, task: -1 },
  ]);
  expect(asked).toEqual([
    { runId: "r", kind: "input" },
    { runId: "r", kind: "step", step: 9, task: -1 },
  ]);
  expect(read.map(({ output }) => output)).toEqual([2, undefined]);
  expect(cache.get("r", 1, { step: -1, task: -1 })?.output).toBe(2);
  expect(cache.get("r", 1, { step: 9, task: -1 })).toBeUndefined();
});
