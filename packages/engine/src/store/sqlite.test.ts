import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { ChangeHint } from "./port.ts";
import { createSqliteStore } from "./sqlite.ts";
import { ScratchFiles } from "./sqlite/scratch-files.ts";

const files = new ScratchFiles();
beforeEach(() => files.next());
afterAll(() => files.remove());

test("goes on with an existing file, and may be opened again after it was closed", async () => {
  const store = await files.open();
  await store.putRanks("r", [1]);
  await store.close();
  await expect(store.getRanks("r")).rejects.toMatchObject({ code: "store_closed" });
  expect(() => store.onChange(() => {})).toThrow("is not open");
  await store.open();
  expect(await store.getRanks("r")).toEqual([1]);
  await store.close();
  await store.close();
});

test("never goes back in time, even if the clock does", async () => {
  let now = 5_000;
  const store = createSqliteStore({ path: files.path, now: () => now });
  await store.open();
  expect((await store.commit([])).now).toBe(5_000);
  now = 1_000;
  expect((await store.commit([])).now).toBe(5_000);
  await store.close();
});

test("tells a listener once of each change by others, of none of its own, until it is taken away", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const store = await files.open();
  const other = await files.open();
  const heard = vi.fn<(hint: ChangeHint) => void>();
  const forget = store.onChange(heard);
  await store.putRanks("own", [1]);
  vi.advanceTimersByTime(1_000);
  expect(heard).toHaveBeenCalledTimes(0);
  await other.putRanks("a", [1]);
  // However slow the polling has become, it notices within a quarter of a second, and is fast again afterwards.
  vi.advanceTimersByTime(250);
  // SQLite says that something has changed, and not what.
  expect(heard.mock.calls).toEqual([[{}]]);
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
