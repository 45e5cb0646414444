import { expect, test } from "vitest";
import { fitTo, padBefore, padTo, widthOf } from "./width.ts";

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;

test.each([
  ["abc", 3],
  ["漢字", 4],
  ["e\u0301", 1],
  ["👩‍👩‍👧", 2],
  [red("abc"), 3],
])("measures %j as %i columns", (text, columns) => {
  expect(widthOf(text)).toBe(columns);
});

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 4, "abc…"],
  ["漢字漢字", 5, "漢字…"],
  ["漢字漢字", 4, "漢…"],
  ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
  ["abc", 0, ""],
])("fits %j into %i columns", (text, columns, fitted) => {
  expect(fitTo(text, columns)).toBe(fitted);
  expect(widthOf(fitTo(text, columns))).toBeLessThanOrEqual(columns);
});

test("closes the color of a text that it cuts", () => {
  expect(fitTo(red("abcdef"), 4)).toBe("\u001b[31mabc…\u001b[0m");
});

test("pads by columns and not by characters", () => {
  expect(padTo("漢", 4)).toBe("漢  ");
  expect(padBefore("漢", 4)).toBe("  漢");
});
