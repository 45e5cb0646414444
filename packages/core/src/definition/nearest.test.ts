import { expect, test } from "vitest";
import { editDistance, nearestName } from "./nearest.ts";

test.each([
  ["", "", 0],
  ["abc", "abc", 0],
  ["abc", "", 3],
  ["kitten", "sitting", 3],
  ["ab", "ba", 1],
  ["timeot", "timeout", 1],
  ["dpeends", "depends", 1],
])("the distance from `%s` to `%s` is %i", (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance);
  expect(editDistance(to, from)).toBe(distance);
});

test("a limit never changes a distance below it, and caps the others", () => {
  const words = ["", "a", "ab", "ba", "abcd", "badc", "steps", "stesp", "sets", "timeout", "tmeiotu", "outtime"];
  for (const from of words) {
    for (const to of words) {
      const distance = editDistance(from, to);
      for (const limit of [1, 2, 3, 5]) expect(editDistance(from, to, limit)).toBe(Math.min(distance, limit));
    }
  }
});

test("finds the nearest name and ignores case", () => {
  expect(nearestName("dependson", ["deadline", "dependsOn"])).toBe("dependsOn");
  expect(nearestName("DEPLOY", ["deploy-all", "deploy"])).toBe("deploy");
});

test("takes the first of two names that are equally near", () => {
  expect(nearestName("steb", ["step", "stem"])).toBe("step");
});

test("has no guess for names that differ in more than a third", () => {
  expect(nearestName("abc", ["xyz", "abx1"])).toBeUndefined();
  expect(nearestName("ab", ["ac"])).toBeUndefined();
  expect(nearestName("x".repeat(1000), ["x".repeat(999)])).toBeUndefined();
});
