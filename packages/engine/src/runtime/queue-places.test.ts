import { expect, test } from "vitest";
import { QueuePlaces } from "./queue-places.ts";

const task = (queue: string) => ({
  queue,
  runId: "r",
  step: 0,
  task: -1,
  attempt: 1,
  token: "t",
  handler: "h",
  claimedAt: 0,
  version: 1,
  stopCause: null,
  resources: null,
});

test("places are shared between queues, and by turns where there are too few", () => {
  const places = new QueuePlaces(["a", "b"]);
  const sum = (free: number): number => places.share(free).reduce((total, { limit }) => total + limit, 0);
  expect([sum(0), sum(1), sum(5), sum(8)]).toEqual([0, 1, 5, 8]);
  expect([places.share(1)[0]?.queue, places.share(1)[0]?.queue]).toEqual(["a", "b"]);
});

test("a worker serves the queues that it was given, or whichever it meets", () => {
  expect([new QueuePlaces(["a"]).meet("a"), new QueuePlaces(["a"]).meet("b")]).toEqual([true, false]);
  const open = new QueuePlaces(null);
  expect(open.share(4)).toEqual([]);
  expect([open.meet("x"), open.meet("y"), open.meet("x")]).toEqual([true, true, true]);
  expect(open.share(4).map(({ limit }) => limit)).toEqual([2, 2]);
});

test("a queue is drained when a claim came back short, until a task has to be left in it", () => {
  const places = new QueuePlaces(["a", "b"]);
  const asked = [
    { queue: "a", limit: 2 },
    { queue: "b", limit: 1 },
  ];
  places.note(asked, { tasks: [task("a"), task("b")], fullerQueues: null });
  expect([places.isDrained("a"), places.isDrained("b"), places.areAllDrained]).toEqual([true, false, false]);
  places.note(asked, { tasks: [], fullerQueues: null });
  expect(places.areAllDrained).toBe(true);
  places.leave("a");
  expect([places.isDrained("a"), places.areAllDrained]).toEqual([false, false]);
});
