import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";
import { wordList } from "./word-list.ts";

const NO_DURATIONS = [
  ...wordList("s -1s 1x 30m1h 1h1h 1h-5m soon 1e3s 36526d P PT P1 P1Y P1M PT1H1H p1d"),
  "",
  " ",
  "1 s",
  "9".repeat(10_000),
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e12,
];

test.each(NO_DURATIONS)("`%s` is no duration", (written) => {
  expect(parseDuration(written)).toBeUndefined();
});
