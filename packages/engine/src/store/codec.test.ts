import { StepRow } from "@braid/core";
import type { JsonValue } from "@braid/core";
import { expect, test } from "vitest";
import { decodeStep, encodeStep, runColumns, stepColumns } from "./codec.ts";
import { cleanText, encodeJson, NotStorable } from "./storable.ts";
import { packTrace, unpackTrace } from "./trace-rows.ts";

test("gives each column one name, in snake case", () => {
  for (const columns of [runColumns, stepColumns]) {
    const names = columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
  }
});

test("covers every field that a row has when it is made", () => {
  const row = new StepRow(1, 2);
  expect(stepColumns.length).toBe(Object.keys(row).length);
  const values = Object.entries(row);
  const cells = encodeStep(row);
  expect(values.map(([, value]) => (typeof value === "boolean" ? Number(value) : value))).toEqual(cells);
});

test("reads a row from the middle of a longer one", () => {
  const row = Object.assign(new StepRow(3, -1), { status: "ready", triggeredBy: [1, 2], isCut: true });
  expect(decodeStep(["host", 1, ...encodeStep(row), "more"], 2)).toEqual(row);
});

test.each([
  ["text", { status: 1 }],
  ["text", { status: null }],
  ["text", { status: "a\0" }],
  ["integer", { attempt: 0.5 }],
  ["integer", { attempt: 2 ** 53 }],
  ["integer", { attempt: null }],
  ["real", { rateTat: Number.NaN }],
  ["real", { rateTat: Infinity }],
  ["boolean", { isCut: 1 }],
  ["json", { triggeredBy: "[1]" }],
  ["json", { error: { code: "c", message: "half \udc00" } }],
])("refuses what a column of kind %s cannot hold: %j", (_, fields) => {
  expect(() => encodeStep(Object.assign(new StepRow(0, -1), fields))).toThrow(NotStorable);
});

test.each([
  ["a NUL character", "\0"],
  ["a NUL character behind a backslash", "\\\0"],
  ["the first half of a surrogate pair", "\ud83d"],
  ["the second half, as a key", { "\ude42": 1 }],
  ["a function", (): void => {}],
  ["undefined", undefined],
  ["a big integer", 1n],
])("refuses JSON that holds %s", (_, value) => {
  expect(() => encodeJson(value as JsonValue, "the value")).toThrow(NotStorable);
  expect(() => encodeJson([value, 1n] as JsonValue, "the value")).toThrow(/^the value /);
});

test.each(["\\u0000", "\\\\ud800", "🙂", "\u0001", "\\"])("keeps the text %j", (text) => {
  expect(JSON.parse(encodeJson({ text }, "the value"))).toEqual({ text });
});

test("refuses a value that holds itself", () => {
  const value: unknown[] = [];
  value.push(value);
  expect(() => encodeJson(value, "the value")).toThrow(NotStorable);
});

test("cleans only what cannot be kept", () => {
  expect(cleanText("a\0 \ud800 🙂 \u001b[0m")).toBe("a\uFFFD \uFFFD 🙂 \u001b[0m");
});

test("packs a trace and gives it back", () => {
  const place = { step: 1, task: -1, attempt: 0 };
  const trace = [
    { seq: 8, at: 100, type: "step.ready", ...place, data: { triggeredBy: [] } },
    { seq: 9, at: 100, type: "step.started", ...place, data: null },
    { seq: 10, at: 107, type: "step.completed", ...place, data: null },
  ] as const;
  const row = packTrace(trace, 7);
  expect(row).toMatchObject({ firstSeq: 8, lastSeq: 10, at: 100 });
  expect(unpackTrace(row!)).toEqual(trace);
  expect(packTrace([], 7)).toBeNull();
  expect(() => packTrace(trace, 8)).toThrow(NotStorable);
  expect(() => packTrace([trace[0], trace[2]], 7)).toThrow(NotStorable);
});
