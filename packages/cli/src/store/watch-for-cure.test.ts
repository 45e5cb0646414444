import type { Store } from "@braid/engine";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TroubleReport } from "../view/trouble-report.ts";
import { watchForCure } from "./watch-for-cure.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const away = Object.assign(new Error("No answer."), { code: "store_unavailable" });

function scene() {
  const lines: string[] = [];
  let isAway = true;
  const put = vi.fn<() => Promise<void>>(() => (isAway ? Promise.reject(away) : Promise.resolve()));
  const store = { listWorkers: () => Promise.resolve([{ id: "w" }]), putWorker: put } as unknown as Store;
  const report = new TroubleReport({ now: Date.now, write: (line) => lines.push(line) });
  const stop = watchForCure({ store, workerId: "w", report, now: Date.now });
  return { lines, report, put, stop, cure: (): void => void (isAway = false) };
}

test("asks nothing of a store that gives no trouble", async () => {
  const { put, stop } = scene();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(put).not.toHaveBeenCalled();
  stop();
});

test("says that the store answers again once it takes a write", async () => {
  const { lines, report, put, cure, stop } = scene();
  report.tell("commit", away);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(put).toHaveBeenCalled();
  expect(lines).toHaveLength(1);
  cure();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(lines.at(-1)).toMatch(/^the store answers again, after 2\d/);
  stop();
});

test("takes no store for cured while calls fail", async () => {
  const { lines, report, cure, stop } = scene();
  cure();
  for (let second = 0; second < 10; second += 1) {
    report.tell("commit", away);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(lines).toHaveLength(1);
  stop();
});

test("writes nothing once it was ended: the worker may have signed off", async () => {
  const { report, put, cure, stop } = scene();
  report.tell("commit", away);
  cure();
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(put).not.toHaveBeenCalled();
});
