import { createState, dueTimers, transition } from "@braid/core";
import type { Plan, RateLimit, RunEvent, RunState } from "@braid/core";
import { expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.ts";
import { chainPlan } from "./contract/plan.ts";
import { enqueued } from "./contract/fixtures.ts";
import { checkNeeds, limitKey, LimitRoom, parseLimitKey } from "./limits.ts";
import type { LimitState, Needs } from "./limits.ts";
import type { TaskLimit } from "./run-commit.ts";
import { NotStorable } from "./storable.ts";

const now = 1_763_657_000_123;

function roomWith(state: Partial<LimitState> = {}): LimitRoom {
  return new LimitRoom({ now, used: new Map(), rates: new Map(), resources: {}, ...state });
}

const limited = (...limits: TaskLimit[]): Needs => ({ limits, resources: null });
const places = (name: string, max: number | null): TaskLimit => ({ name, max, rate: null });
const rated = (name: string, rate: RateLimit): TaskLimit => ({ name, max: null, rate });

/** A run of sixty steps that all want to start at once, whose rate the kernel decides. */
function ratedRun(rate: RateLimit): RunState {
  const chain = chainPlan(
    "rated",
    Array.from({ length: 61 }, (_, index) => `s${index}`),
  );
  const plan: Plan = {
    ...chain,
    edges: [],
    steps: chain.steps.map((step) => Object.assign({}, step, { incoming: [], outgoing: [] })),
    scopes: chain.scopes.map((scope) => Object.assign({}, scope, scope.index === 0 ? { rateLimit: rate } : {})),
  };
  return createState(plan, "01900000-0000-7000-8000-000000000001");
}

/** Applies events, starts every attempt that is admitted, and counts them. */
function startAll(state: RunState, events: readonly RunEvent[], at: number): number {
  let started = 0;
  const todo = [...events];
  // The list grows while it is read: a start may admit the next one.
  for (const event of todo) {
    for (const command of transition(state.plan, state, event).commands) {
      if (command.type !== "startTask") continue;
      started += 1;
      const { step, task, attempt } = command;
      todo.push({ type: "task.started", at, step, task, attempt });
    }
  }
  return started;
}

test.each([
  { count: 1, perMs: 1_000, burst: 1 },
  { count: 3, perMs: 1_000, burst: 1 },
  { count: 8, perMs: 1_000, burst: 4 },
  { count: 100, perMs: 60_000, burst: 10 },
])("allows the starts of %j at the instants at which the kernel allows them", (rate) => {
  const random = new SeededRandom(7);
  const state = ratedRun(rate);
  const rates = new Map<string, number>();
  const needs = limited(rated("mail", rate));
  let left = 60;
  for (let at = now; left > 0;) {
    const first: readonly RunEvent[] = [
      { type: "run.create", at },
      { type: "run.start", at },
    ];
    const allowed = startAll(state, at === now ? first : dueTimers(state, at), at);
    const room = new LimitRoom({ now: at, used: new Map(), rates, resources: {} });
    let taken = 0;
    while (taken < left && room.tryTake(needs)) taken += 1;
    expect(taken).toBe(allowed);
    left -= taken;
    for (const [name, tat] of room.changedRates()) rates.set(name, tat);
    expect(rates.get("mail")).toBe(state.run.rateTat);
    if (left === 0) break;
    room.tryTake(needs);
    expect(room.nextAt).toBe(state.run.rateAt);
    // Late by chance: what was not used meanwhile makes a burst, and no more than that.
    at = room.nextAt! + (random.chance(0.3) ? random.integer(0, rate.perMs * 3) : 0);
  }
});

test("allows a whole burst at once, however little an interval is", () => {
  for (let count = 1; count < 2_000; count += 13) {
    const needs = limited(rated("mail", { count, perMs: 7, burst: count }));
    const room = roomWith();
    let taken = 0;
    while (taken <= count && room.tryTake(needs)) taken += 1;
    expect(taken).toBe(count);
    expect(room.nextAt).toBe(now + Math.ceil(7 / count));
    const later = roomWith({ now: now + 7, rates: room.changedRates() });
    taken = 0;
    while (taken <= count && later.tryTake(needs)) taken += 1;
    expect(taken).toBe(count);
  }
});

test("takes nothing of any limit, rate or resource of a task that one of them holds back", () => {
  const slow = rated("slow", { count: 1, perMs: 1_000, burst: 1 });
  const fast = rated("fast", { count: 1, perMs: 1_000, burst: 1 });
  const room = roomWith({ used: new Map([["full", 2]]), resources: { cpu: 1 }, rates: new Map([["slow", now + 500]]) });
  expect(room.tryTake({ limits: [places("full", 2), fast], resources: { cpu: 1 } })).toBe(false);
  expect(room.nextAt).toBeNull();
  expect(room.tryTake({ limits: [fast, places("free", 1), slow], resources: { cpu: 1 } })).toBe(false);
  expect(room.nextAt).toBe(now + 500);
  expect(room.tryTake({ limits: [fast, places("free", 1)], resources: { cpu: 2 } })).toBe(false);
  expect(room.changedRates()).toEqual(new Map());
  expect(room.tryTake({ limits: [fast, places("free", 1), places("full", 3)], resources: { cpu: 1 } })).toBe(true);
  expect(room.changedRates()).toEqual(new Map([["fast", now + 1_000]]));
  for (const needs of [
    limited(places("full", 3)),
    limited(places("free", 1)),
    { limits: [], resources: { cpu: 0.1 } },
  ]) {
    expect(room.hasPlaces(needs)).toBe(false);
  }
});

test("tells the instant at which the first task may start, not the first of its rates", () => {
  const rate = { count: 1, perMs: 1_000, burst: 1 };
  const rates = new Map([
    ["a", now + 100],
    ["b", now + 900],
    ["c", now + 300.2],
  ]);
  const room = roomWith({ rates });
  expect(room.tryTake(limited(rated("a", rate), rated("b", rate)))).toBe(false);
  expect(room.nextAt).toBe(now + 900);
  expect(room.tryTake(limited(rated("c", rate)))).toBe(false);
  expect(room.nextAt).toBe(now + 301);
});

test("changes nothing of what it was given", () => {
  const state = { used: new Map([["db", 1]]), rates: new Map([["db", 5]]), resources: { cpu: 2 } };
  const room = roomWith(state);
  const rate = { count: 1, perMs: 1_000, burst: 1 };
  expect(room.tryTake({ limits: [{ name: "db", max: 2, rate }], resources: { cpu: 2 } })).toBe(true);
  expect(state).toEqual({ used: new Map([["db", 1]]), rates: new Map([["db", 5]]), resources: { cpu: 2 } });
});

test("knows resources by any name, and has none that it was not given", () => {
  const room = roomWith({ resources: JSON.parse('{"__proto__": 1}') as Record<string, number> });
  expect(room.hasPlaces(parseLimitKey('{"limits":[],"resources":{"toString":1}}'))).toBe(false);
  expect(room.tryTake(parseLimitKey('{"limits":[],"resources":{"__proto__":1}}'))).toBe(true);
  expect(room.tryTake(parseLimitKey('{"limits":[],"resources":{"__proto__":1}}'))).toBe(false);
});

test("gives tasks that need the same one key, which says all that they need", () => {
  const rate = { count: 5, perMs: 1_000, burst: 2 };
  const needs = { limits: [{ name: 'a "b"', max: 3, rate }, places("c", null)], resources: { gpu: 1, cpu: 0.5 } };
  const key = limitKey(needs);
  expect(key).toBe(
    '{"limits":[{"name":"a \\"b\\"","max":3,"rate":{"count":5,"perMs":1000,"burst":2}},' +
      '{"name":"c","max":null,"rate":null}],"resources":{"cpu":0.5,"gpu":1}}',
  );
  expect(parseLimitKey(key!)).toEqual(needs);
  const otherwise = { rate: { burst: 2, perMs: 1_000, count: 5 }, max: 3, name: 'a "b"' };
  const same = { resources: { cpu: 0.5, gpu: 1 }, limits: [otherwise, places("c", null)] };
  expect(limitKey(same)).toBe(key);
  expect(limitKey({ limits: [], resources: { cpu: 1 } })).toBe('{"limits":[],"resources":{"cpu":1}}');
});

test("parks no task that needs nothing", () => {
  expect(limitKey({ limits: [], resources: null })).toBeNull();
  expect(limitKey({ limits: [], resources: {} })).toBeNull();
});

const check = (limits: readonly TaskLimit[]) => () => checkNeeds(enqueued(3, { limits }));

test("says which limit of which task makes no sense", () => {
  expect(check([places("db", 1.5)])).toThrow(NotStorable);
  expect(check([places("db", 1.5)])).toThrow("limit `db` of step 3, task -1 has a maximum of 1.5");
  expect(check([places("a", 1), places("A", 1)])).toThrow("not in order of their names");
  expect(check([places("A", 1), places("a", 0)])).not.toThrow();
});
