import { expect, test } from "vitest";
import { LimitRoom } from "./limits.ts";
import type { Needs } from "./limits.ts";
import { takeQueued } from "./take-queued.ts";
import type { Lane, QueuedPlace } from "./take-queued.ts";

interface Row extends QueuedPlace {
  readonly name: string;
}

const row = (name: string, priority: number, queuedAt: number): Row => {
  return { name, priority, queuedAt, runId: name, step: 0, task: -1 };
};

/** A lane that counts how often it was asked. */
function lane(needs: Needs | null, rows: readonly Row[]): Lane<Row> & { asked: number } {
  const counted = {
    needs,
    asked: 0,
    next: (): Row | undefined => {
      counted.asked += 1;
      return rows[counted.asked - 1];
    },
  };
  return counted;
}

const one = (name: string): Needs => ({ limits: [{ name, max: 1, rate: null }], resources: null });

function takeFrom(lanes: readonly Lane<Row>[], limit: number, used = new Map<string, number>()): string[] {
  const taken: string[] = [];
  const room = new LimitRoom({ now: 0, used, rates: new Map(), resources: {} });
  takeQueued(lanes, { limit, room, take: ({ name }) => taken.push(name) });
  return taken;
}

test("merges lanes by priority, time and id, up to the limit", () => {
  const any = lane(null, [row("b", 5, 2), row("d", 0, 1), row("f", 0, 3)]);
  const roomy: Needs = { limits: [{ name: "x", max: 9, rate: null }], resources: null };
  const parked = lane(roomy, [row("a", 5, 2), row("c", 5, 3), row("e", 0, 1)]);
  expect(takeFrom([any, parked], 5)).toEqual(["a", "b", "c", "d", "e"]);
  expect(takeFrom([lane(null, [row("z", 0, 0)])], 0)).toEqual([]);
});

test("asks a lane without places for no row, and one that has become full for no more than the next", () => {
  const full = lane(one("full"), [row("a", 9, 0), row("b", 9, 1)]);
  const open = lane(one("open"), [row("c", 8, 0), row("d", 8, 1), row("e", 8, 2)]);
  const any = lane(null, [row("f", 0, 0), row("g", 0, 1)]);
  expect(takeFrom([full, open, any], 3, new Map([["full", 1]]))).toEqual(["c", "f", "g"]);
  expect([full.asked, open.asked, any.asked]).toEqual([0, 2, 2]);
});
