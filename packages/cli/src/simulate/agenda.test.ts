import { expect, test } from "vitest";
import { Agenda } from "./agenda.ts";

function takeAll(agenda: Agenda<string>): readonly string[] {
  const taken: string[] = [];
  for (let entry = agenda.take(); entry !== undefined; entry = agenda.take()) taken.push(entry.value);
  return taken;
}

test("gives the earliest first, and entries of one instant in their order", () => {
  const agenda = new Agenda<string>();
  for (const [at, value] of [
    [5, "e"],
    [1, "a"],
    [3, "c"],
    [3, "d"],
    [2, "b"],
  ] as const)
    agenda.put(at, value);
  expect(takeAll(agenda)).toEqual(["a", "b", "c", "d", "e"]);
});

test("replaces an entry under its key, and takes it back", () => {
  const agenda = new Agenda<string>();
  agenda.put(1, "old", "key");
  agenda.put(2, "new", "key");
  agenda.put(3, "gone", "other");
  expect(agenda.cancel("other")).toBe(true);
  expect(agenda.cancel("other")).toBe(false);
  expect(takeAll(agenda)).toEqual(["new"]);
  expect(agenda.cancel("key")).toBe(false);
});

test("keeps its order under many entries", () => {
  const agenda = new Agenda<string>();
  const values = Array.from({ length: 500 }, (_, index) => (index * 7919) % 1009);
  for (const value of values) agenda.put(value, String(value));
  expect(takeAll(agenda).map(Number)).toEqual(values.toSorted((a, b) => a - b));
});
