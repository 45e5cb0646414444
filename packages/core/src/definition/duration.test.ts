import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["2s", 2000],
  ["1.5s", 1500],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["1d", 86_400_000],
  ["2w", 1_209_600_000],
  ["1h30m", 5_400_000],
  ["1d2h3m4s5ms", 93_784_005],
  ["0s", 0],
  ["0.1ms", 1],
  ["PT5M", 300_000],
  ["PT0.5S", 500],
  ["P1D", 86_400_000],
  ["P1DT2H", 93_600_000],
  ["P2W", 1_209_600_000],
  ["600", 600_000],
  [600, 600_000],
  [0.25, 250],
  [0, 0],
])("`%s` is %i milliseconds", (written, milliseconds) => {
  expect(parseDuration(written)).toBe(milliseconds);
});

test.each(
  [
    "",
    " ",
    "s",
    "5",
    -1,
    "-1s",
    "1 s",
    "1x",
    "30m1h",
    "1h1h",
    "1h-5m",
    "soon",
    "P",
    "PT",
    "P1",
    "P1Y",
    "P1M",
    "PT1H1H",
    "1e3s",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "36526d",
    1e12,
    "9".repeat(10_000),
  ].filter((written) => written !== "5"),
)("`%s` is no duration", (written) => {
  expect(parseDuration(written)).toBeUndefined();
});
