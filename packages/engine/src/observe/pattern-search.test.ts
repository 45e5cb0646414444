import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PatternSearch } from "./pattern-search.ts";

/** Marks every character that is part of an occurrence, by looking at each place for each pattern. */
function covered(text: string, patterns: readonly string[]): readonly boolean[] {
  const marks = Array.from({ length: text.length }, () => false);
  for (const pattern of patterns) {
    for (let at = 0; at <= text.length - pattern.length; at += 1) {
      if (text.startsWith(pattern, at)) marks.fill(true, at, at + pattern.length);
    }
  }
  return marks;
}

const letters = fc.constantFrom("a", "b", "é");
const word = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: letters, maxLength });

test("covers exactly what a naive search covers", () => {
  fc.assert(
    fc.property(word(40), fc.array(word(6), { maxLength: 6 }), (text, patterns) => {
      const search = new PatternSearch(patterns);
      const ranges = search.findRanges(text);
      const marks = Array.from({ length: text.length }, () => false);
      for (const { start, end } of ranges) marks.fill(true, start, end);
      expect(marks).toEqual(covered(text, patterns));
      expect(search.occursIn(text)).toBe(ranges.length > 0);
      for (const [index, { start }] of ranges.entries()) {
        expect(start).toBeGreaterThan(ranges[index - 1]?.end ?? -1);
      }
    }),
    { numRuns: 2_000 },
  );
});
