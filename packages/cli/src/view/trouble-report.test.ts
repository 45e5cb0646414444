import { expect, test } from "vitest";
import { TroubleReport } from "./trouble-report.ts";

function scene() {
  const lines: string[] = [];
  let now = 0;
  const report = new TroubleReport({ now: () => now, write: (line) => lines.push(line) });
  return { lines, report, after: (ms: number): void => void (now += ms) };
}

const storeError = (code: string, message: string): Error => Object.assign(new Error(message), { code });
const away = storeError("store_unavailable", "The store `postgres://h/db`: no answer. It is tried again.");

test("says what, where and what happens next, on one line", () => {
  const { lines, report } = scene();
  report.tell("commit", away);
  expect(lines).toEqual(["cannot commit: The store `postgres://h/db`: no answer. Trying again until it works."]);
});

test("a store that is away is one trouble, whichever calls meet it", () => {
  const { lines, report, after } = scene();
  report.tell("commit", away);
  after(1_000);
  report.tell("claim tasks", storeError("store_busy", "Locked."));
  expect(lines).toHaveLength(1);
});

test("tells trouble that lasts once a minute, and for how long it has lasted", () => {
  const { lines, report, after } = scene();
  for (let second = 0; second < 150; second += 1) {
    report.tell("commit", away);
    after(1_000);
  }
  expect(lines.map((line) => line.slice(0, 30))).toEqual([
    "cannot commit: The store `post",
    "cannot commit (for 1m 00s now)",
    "cannot commit (for 2m 00s now)",
  ]);
});

test("says once that the store answers again, and tells the next trouble at once", () => {
  const { lines, report, after } = scene();
  report.storeAnswers();
  report.tell("commit", away);
  after(12_000);
  report.storeAnswers();
  report.storeAnswers();
  expect(lines.slice(1)).toEqual(["the store answers again, after 12.0s"]);
  expect(report.hasStoreTrouble).toBe(false);
  report.tell("commit", away);
  expect(lines).toHaveLength(3);
});

test("trouble that is not the store's is told for each thing that cannot be done", () => {
  const { lines, report } = scene();
  report.tell("find child runs", new Error("a\nb"));
  report.tell("carry on run `x`", new Error("c"));
  report.tell("find child runs", new Error("a"));
  expect(lines).toEqual(["cannot find child runs: a b. Trying again.", "cannot carry on run `x`: c. Trying again."]);
  expect(report.hasStoreTrouble).toBe(false);
});
