import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findJsonError } from "./json-error.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Only whether it throws matters here.
    return false;
  }
}

test.each<[string, number]>([
  ["", 0],
  ["  ", 2],
  ["{", 1],
  ["[1,]", 3],
  ['{"a":1,}', 7],
  ["{a:1}", 1],
  ['{"a" 1}', 5],
  ["[1 2]", 3],
  ["[1}", 2],
  ["1 2", 2],
  ["]", 0],
  ["01", 0],
  ["1.", 0],
  ["+1", 0],
  ["NaN", 0],
  ["truex", 0],
  ["'a'", 0],
  ['"a\nb"', 0],
  ['"\\x"', 0],
  ["[1] // no", 4],
])("`%s` stops being JSON at %i", (text, offset) => {
  expect(findJsonError(text)).toBe(offset);
  expect(isJson(text)).toBe(false);
});

const CHARACTERS = Array.from('{}[],:"\\u0e1.-tru null');

test("agrees with JSON.parse about every text", () => {
  const almost = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom("", ",", "}", "]", "{", "[", '"', "\\", ":", "0", "e", " ", "-", "\n"),
  );
  const broken = almost.map(([text, at, extra]) => {
    const position = at % (text.length + 1);
    return text.slice(0, position) + extra + text.slice(position + (at % 2));
  });
  fc.assert(
    fc.property(fc.oneof(broken, fc.json(), fc.string({ unit: fc.constantFrom(...CHARACTERS) })), (text) => {
      expect(findJsonError(text) === undefined).toBe(isJson(text));
    }),
    { numRuns: 2000 },
  );
});

test("reads a text of a MiB", () => {
  expect(findJsonError(JSON.stringify("\\x".repeat(300_000)))).toBeUndefined();
  expect(findJsonError(`"${"x".repeat(1_000_000)}`)).toBe(0);
});
