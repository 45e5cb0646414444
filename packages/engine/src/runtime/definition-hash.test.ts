import { expect, test } from "vitest";
import { hashJson } from "./definition-hash.ts";

test("the hash is that of the value, whatever the order of its keys", () => {
  expect(hashJson({ a: 1, b: [true, null, "x"] })).toBe(hashJson({ b: [true, null, "x"], a: 1 }));
  const values = [{}, [], null, "", 0, { a: {} }, { a: [] }, [1, 2], [12], ["1", 2], { a: "b" }, ["a", "b"]];
  expect(new Set(values.map((value) => hashJson(value))).size).toBe(values.length);
});
