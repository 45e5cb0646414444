import { expect, test } from "vitest";
import { countOf, formatDuration, formatElapsed } from "./format.ts";

test.each([
  [-5, "0ms"],
  [0, "0ms"],
  [999.4, "999ms"],
  [999.6, "1.0s"],
  [1234, "1.2s"],
  [59_949, "59.9s"],
  [59_960, "1m 00s"],
  [184_000, "3m 04s"],
  [3_599_600, "1h 00m"],
  [7_500_000, "2h 05m"],
  [273_600_000, "3d 4h"],
])("shows %d milliseconds as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("keeps elapsed times of even width", () => {
  expect([0, 12_300, 184_000].map(formatElapsed)).toEqual(["   0.00s", "  12.30s", "  3m 04s"]);
});

test("counts in the singular where there is one", () => {
  expect([countOf(0, "step"), countOf(1, "step"), countOf(2, "step")]).toEqual(["0 steps", "1 step", "2 steps"]);
});
