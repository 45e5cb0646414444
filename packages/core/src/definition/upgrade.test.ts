import { expect, test } from "vitest";
import { fieldOf } from "./fields.ts";
import { startReading } from "./reading.ts";
import { upgradeDefinition } from "./upgrade.ts";
import type { Upgrade } from "./upgrade.ts";

const chain: readonly Upgrade[] = [
  (written) => ({ ...written, steps: written["jobs"] ?? [], jobs: "gone" }),
  (written) => ({ ...written, third: true }),
];

function upgrade(written: object) {
  const reading = startReading();
  const value = upgradeDefinition(reading, fieldOf({ ...written }, "", "A workflow"), chain)?.value;
  return { value, codes: reading.finish().map(({ code }) => code) };
}

test("an older definition goes through every version up to the current one", () => {
  expect(upgrade({ definitionVersion: 1, jobs: [1] })).toEqual({
    value: { definitionVersion: 1, jobs: "gone", steps: [1], third: true },
    codes: [],
  });
  expect(upgrade({ definitionVersion: 2, jobs: [1] })).toEqual({
    value: { definitionVersion: 2, jobs: [1], third: true },
    codes: [],
  });
});

test("a current definition, and one that does not say its version, stay as they are", () => {
  expect(upgrade({ definitionVersion: 3, jobs: [1] }).value).toEqual({ definitionVersion: 3, jobs: [1] });
  expect(upgrade({ jobs: [1] }).value).toEqual({ jobs: [1] });
});

test("a newer definition is refused", () => {
  expect(upgrade({ definitionVersion: 4 })).toEqual({ value: undefined, codes: ["unsupported_version"] });
});

test("what was stored is not changed", () => {
  const stored = Object.freeze({ definitionVersion: 1, jobs: Object.freeze([1]) });
  expect(upgrade(stored).codes).toEqual([]);
  expect(stored).toEqual({ definitionVersion: 1, jobs: [1] });
});
