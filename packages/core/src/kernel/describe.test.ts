import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { isoTime } from "./describe.ts";

test("an instant is shown as ISO 8601 in UTC with milliseconds, whatever was shown before it", () => {
  const instants = integer({ min: Date.UTC(0, 0), max: Date.UTC(9999, 11, 31) });
  const near = integer({ min: -2_000, max: 2_000 });
  assert(
    property(instants, array(near), (first, steps) => {
      for (const at of [first, ...steps.map((step) => first + step)])
        expect(isoTime(at)).toBe(new Date(at).toISOString());
    }),
  );
  expect(isoTime(Date.UTC(2024, 1, 29, 23, 59, 59, 999))).toBe("2024-02-29T23:59:59.999Z");
  expect(isoTime(1_700_000_000_000.75)).toBe("2023-11-14T22:13:20.000Z");
});
