import { expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

test.each([
  ["buidl", ["build", "test"], "build"],
  ["BUILD", ["test", "build"], "build"],
  ["outptu", ["output", "status"], "output"],
  ["startWith", ["startsWith", "endsWith"], "startsWith"],
  ["deploy-ap", ["deploy-api", "deploy-app"], "deploy-api"],
])("finds what %s was meant to be", (name, candidates, expected) => {
  expect(nearestName(name, candidates)).toBe(expected);
});

test.each([
  ["x", ["a", "b"]],
  ["deploy", ["build", "test"]],
  ["", ["a"]],
  ["a".repeat(101), ["a".repeat(100)]],
])("finds nothing near %s", (name, candidates) => {
  expect(nearestName(name, candidates)).toBeUndefined();
});

test("prefers the nearest candidate over an earlier one", () => {
  expect(nearestName("regions", ["region-set", "reasons", "region"])).toBe("region");
});
