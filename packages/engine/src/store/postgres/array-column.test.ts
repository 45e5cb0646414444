import { expect, test } from "vitest";
import { NotStorable } from "../storable.ts";
import { ArrayColumn } from "./array-column.ts";
import type { ArrayType } from "./array-column.ts";

/** The elements as the server reads them, each as the bytes that follow its length. */
function elementsOf(column: ArrayColumn): (Buffer | null)[] {
  const bytes = Buffer.alloc(column.byteLength);
  column.copyTo(bytes, 0);
  const elements: (Buffer | null)[] = [];
  for (let at = 20; elements.length < bytes.readInt32BE(12);) {
    const length = bytes.readInt32BE(at);
    at += 4;
    elements.push(length < 0 ? null : bytes.subarray(at, at + length));
    at += Math.max(0, length);
  }
  return elements;
}

function written(type: ArrayType, values: readonly unknown[]): (Buffer | null)[] {
  const column = new ArrayColumn("c", type);
  for (const value of values) column.add(value);
  return elementsOf(column);
}

test("integers keep their value up to the limits of their type, and null stays null", () => {
  const integers = [0, -1, 2 ** 31 - 1, -(2 ** 31), null];
  expect(written("integer[]", integers).map((bytes) => bytes?.readInt32BE() ?? null)).toEqual(integers);
  const bigints = [0, -1, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null];
  expect(written("bigint[]", bigints).map((bytes) => (bytes === null ? null : Number(bytes.readBigInt64BE())))).toEqual(
    bigints,
  );
});

test.for([
  ["integer[]", 2 ** 31],
  ["integer[]", 0.5],
  ["integer[]", "1"],
  ["bigint[]", 2 ** 53],
  ["bigint[]", Number.NaN],
  ["text[]", 1],
  ["text[]", undefined],
  ["text[]", "a\0"],
  ["text[]", "\uD800"],
  ["uuid[]", 7],
] as const)("a column of %s refuses what it cannot hold (%#)", ([type, value]) => {
  expect(() => written(type, [value])).toThrow(NotStorable);
});

test("texts keep all characters, short or long", () => {
  const texts = ["", "plain", 'a "quoted" \\ one', "ünïcode ✓", "long ".repeat(2_000), "läng ".repeat(2_000), null];
  expect(written("text[]", texts).map((bytes) => bytes?.toString() ?? null)).toEqual(texts);
  expect(written("jsonb[]", ["{}"])).toEqual([Buffer.from("\u0001{}")]);
});

test("an id is its sixteen bytes", () => {
  expect(written("uuid[]", ["01890000-abcd-7000-8000-00000000ffFF"])).toEqual([
    Buffer.from("01890000abcd7000800000000000ffff", "hex"),
  ]);
});

test("a column that was cleared holds nothing of the batch before", () => {
  const column = new ArrayColumn("c", "text[]");
  for (const value of ["a", null, "x".repeat(1_000_000)]) column.add(value);
  column.clear();
  const bytes = Buffer.alloc(column.byteLength);
  expect(column.copyTo(bytes, 0)).toBe(12);
  expect(bytes.subarray(0, 12)).toEqual(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]));
  column.add("b");
  expect(elementsOf(column).map(String)).toEqual(["b"]);
});
