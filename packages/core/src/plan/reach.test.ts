import * as fc from "fast-check";
import { expect, test } from "vitest";
import { answerReach } from "./reach.ts";
import { buildTimeline } from "./timeline.ts";

/** Random lists of steps: an owner stands before its members, and edges lead forward inside one list. */
const plans = fc.integer({ min: 1, max: 60 }).chain((size) =>
  fc.record({
    owners: fc.tuple(...Array.from({ length: size }, (_, step) => fc.integer({ min: -1, max: Math.min(step - 1, 5) }))),
    pairs: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 3 * size }),
  }),
);

test("answers as a walk from every source would", () => {
  fc.assert(
    fc.property(plans, ({ owners, pairs }) => {
      const edges = pairs.filter(([from, to]) => from < to && owners[from] === owners[to]);
      const containers = new Set(owners);
      const timeline = buildTimeline({
        size: owners.length,
        ownerOf: (step) => owners[step]!,
        isContainer: (step) => containers.has(step),
        edges: edges.map(([from, to]) => ({ from, to })),
      });
      const steps = owners.map((_, step) => step);
      const queries = steps.flatMap((from) => steps.map((to) => ({ from, to })));
      const naive = queries.map(({ from, to }) => from !== to && isBefore(owners, edges, { from, to }));
      expect(answerReach(timeline, queries)).toEqual(naive);
    }),
  );
});

test("keeps apart the sources of one pass from those of the next", () => {
  const pairs = Array.from({ length: 100 }, (_, index) => index);
  const timeline = buildTimeline({
    size: 200,
    ownerOf: () => -1,
    isContainer: () => false,
    edges: pairs.map((index) => ({ from: index, to: 100 + index })),
  });
  const queries = pairs.flatMap((from) => pairs.map((to) => ({ from, to: 100 + to })));
  expect(answerReach(timeline, queries)).toEqual(queries.map(({ from, to }) => to === from + 100));
});

interface Question {
  readonly from: number;
  readonly to: number;
}

/** Climbs from both steps to lists with an edge between them, step by step and without the flat graph. */
function isBefore(
  owners: readonly number[],
  edges: readonly (readonly [number, number])[],
  { from, to }: Question,
): boolean {
  const behind = new Set<number>();
  const open = around(owners, from);
  for (const source of open) {
    for (const [edgeFrom, edgeTo] of edges) {
      if (edgeFrom !== source || behind.has(edgeTo)) continue;
      behind.add(edgeTo);
      open.push(...around(owners, edgeTo));
    }
  }
  return around(owners, to).some((step) => behind.has(step));
}

/** A step and the blocks around it. What comes behind a block comes behind its members, and its members with it. */
function around(owners: readonly number[], step: number): number[] {
  const found: number[] = [];
  for (let owner = step; owner >= 0; owner = owners[owner]!) found.push(owner);
  return found;
}
