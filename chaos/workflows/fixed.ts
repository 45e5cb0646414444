import { after, endlessMs, task, upon } from "./spec.ts";
import type { StepSpec, WorkflowSpec } from "./spec.ts";

/** Workflows that others start as children, which hence come first. */
export const childSpecs: readonly WorkflowSpec[] = [
  {
    name: "child-good",
    mode: "fail_all",
    steps: [
      { id: "one", needs: [], action: task(80) },
      { id: "two", needs: after("one"), action: task(80, { queue: "fast" }) },
    ],
  },
  {
    name: "child-bad",
    mode: "fail_all",
    steps: [
      { id: "one", needs: [], action: task(60) },
      { id: "two", needs: after("one"), action: task(40, { failures: -1, maxAttempts: 2 }) },
    ],
  },
];

function chain(length: number): readonly StepSpec[] {
  return Array.from({ length }, (_, index) => ({
    id: `c${index}`,
    needs: index === 0 ? [] : after(`c${index - 1}`),
    action: task(index % 3 === 0 ? 0 : 60),
  }));
}

/** One workflow for each thing that has to hold under faults. */
export const fixedSpecs: readonly WorkflowSpec[] = [
  { name: "chain", mode: "fail_all", steps: chain(8) },
  {
    name: "diamond",
    mode: "fail_all",
    steps: [
      { id: "top", needs: [], action: task(50) },
      { id: "left", needs: after("top"), action: task(150, { queue: "fast" }) },
      { id: "right", needs: after("top"), action: task(200, { queue: "heavy" }) },
      { id: "bottom", needs: after("left", "right"), action: task(50) },
    ],
  },
  {
    name: "fan",
    mode: "fail_all",
    maxConcurrent: 6,
    steps: [
      { id: "root", needs: [], action: task(30) },
      ...Array.from({ length: 12 }, (_, n) => ({ id: `f${n}`, needs: after("root"), action: task(40 + 20 * (n % 5)) })),
      { id: "end", needs: after(...Array.from({ length: 12 }, (_, n) => `f${n}`)), action: task(20) },
    ],
  },
  {
    name: "map",
    mode: "fail_all",
    steps: [
      { id: "first", needs: [], action: task(30) },
      {
        id: "each",
        needs: after("first"),
        action: task(60, {
          items: Array.from({ length: 10 }, (_, n) => ({ ms: 40 + 15 * n, fails: n === 4 })),
          tolerates: 1,
          mapConcurrent: 4,
        }),
      },
      { id: "last", needs: after("each"), action: task(30) },
    ],
  },
  {
    name: "map-fails",
    mode: "continue",
    steps: [
      {
        id: "each",
        needs: [],
        action: task(50, { items: Array.from({ length: 6 }, (_, n) => ({ ms: 50, fails: n < 2 })), tolerates: 1 }),
      },
      { id: "rescue", needs: upon("failure", "each"), action: task(30) },
      { id: "lost", needs: after("each"), action: task(30) },
    ],
  },
  {
    name: "race",
    mode: "fail_all",
    steps: [
      { id: "hare", needs: [], action: task(80), isRacer: true },
      { id: "tortoise", needs: [], action: task(4_000), isRacer: true },
      { id: "goal", needs: after("hare", "tortoise"), join: "first", action: task(30) },
    ],
  },
  {
    name: "mirrors",
    mode: "fail_all",
    steps: [
      { id: "broken", needs: [], action: task(50, { failures: -1 }) },
      { id: "good", needs: [], action: task(400) },
      { id: "use", needs: after("broken", "good"), join: "any", action: task(30) },
    ],
  },
  {
    name: "retries",
    mode: "fail_all",
    steps: [
      { id: "shaky", needs: [], action: task(40, { failures: 2, maxAttempts: 4, retryDelayMs: 300 }) },
      { id: "then", needs: after("shaky"), action: task(30) },
      { id: "tolerated", needs: after("shaky"), action: task(30, { failures: -1, maxAttempts: 2 }), isTolerated: true },
      { id: "end", needs: after("then", "tolerated"), action: task(20) },
    ],
  },
  {
    name: "handled",
    mode: "continue",
    steps: [
      { id: "breaks", needs: [], action: task(60, { failures: -1, maxAttempts: 2, retryDelayMs: 200 }) },
      { id: "cure", needs: upon("failure", "breaks"), action: task(60) },
      { id: "lost", needs: after("breaks"), action: task(60) },
      { id: "report", needs: upon("settled", "breaks", "lost"), action: task(20) },
    ],
  },
  {
    name: "fails",
    mode: "fail_all",
    steps: [
      { id: "slow", needs: [], action: task(800) },
      { id: "bad", needs: [], action: task(100, { failures: -1 }) },
      { id: "never", needs: after("bad"), action: task(20) },
    ],
    finally: [{ id: "tidy", needs: [], action: task(40) }],
  },
  {
    name: "choices",
    mode: "fail_all",
    steps: [
      { id: "look", needs: [], action: task(30) },
      { id: "yes", needs: after("look"), action: task(40), when: true },
      { id: "no", needs: after("look"), action: task(40), when: false },
      { id: "meet", needs: after("yes", "no"), action: { kind: "join" } },
      { id: "end", needs: after("meet"), action: task(20) },
    ],
  },
  {
    name: "times",
    mode: "fail_all",
    steps: [
      { id: "before", needs: [], action: task(20) },
      { id: "nap", needs: after("before"), action: { kind: "sleep", ms: 1_500 } },
      { id: "after", needs: after("nap"), action: task(20) },
      { id: "later", needs: after("before"), action: task(20), startDelayMs: 900 },
      { id: "endless", needs: [], action: task(endlessMs, { timeoutMs: 700 }), isTolerated: true },
    ],
  },
  {
    name: "too-long",
    mode: "fail_all",
    timeoutMs: 2_000,
    steps: [{ id: "endless", needs: [], action: task(endlessMs) }],
    finally: [{ id: "tidy", needs: [], action: task(40) }],
  },
  {
    name: "keyed",
    mode: "fail_all",
    steps: [
      ...Array.from({ length: 3 }, (_, n) => ({ id: `r${n}`, needs: [], action: task(150, { key: "red" }) })),
      { id: "blue", needs: after("r0", "r1", "r2"), action: task(80, { key: "blue" }) },
    ],
  },
  {
    name: "limited",
    mode: "fail_all",
    steps: [
      ...Array.from({ length: 4 }, (_, n) => ({
        id: `t${n}`,
        needs: [],
        action: task(20, { type: "rated" as const }),
      })),
      ...Array.from({ length: 3 }, (_, n) => ({
        id: `n${n}`,
        needs: [],
        action: task(120, { type: "narrow" as const }),
      })),
      { id: "end", needs: after("t0", "t1", "t2", "t3", "n0", "n1", "n2"), action: { kind: "join" } },
    ],
  },
  {
    name: "signals",
    mode: "fail_all",
    steps: [
      { id: "ask", needs: [], action: task(60) },
      { id: "answer", needs: after("ask"), action: { kind: "signal", name: "go" } },
      { id: "use", needs: after("answer"), action: task(30) },
    ],
  },
  {
    name: "parent",
    mode: "continue",
    steps: [
      { id: "start", needs: [], action: task(30) },
      { id: "good", needs: after("start"), action: { kind: "child", workflow: "child-good" } },
      { id: "bad", needs: after("start"), action: { kind: "child", workflow: "child-bad" }, isTolerated: true },
      { id: "end", needs: after("good", "bad"), action: task(20) },
    ],
  },
  {
    name: "shared",
    mode: "fail_all",
    steps: [
      { id: "base", needs: [], action: task(20), sets: true },
      { id: "w0", needs: after("base"), action: task(120), sets: true },
      { id: "w1", needs: after("base"), action: task(60), sets: true },
      { id: "w2", needs: after("base"), action: task(20), sets: true },
      { id: "read", needs: after("w0", "w1", "w2"), action: task(20, { looksAtContext: true }) },
    ],
  },
  {
    name: "grouped",
    mode: "fail_all",
    groupMax: 2,
    steps: [
      { id: "one", needs: [], action: task(200) },
      { id: "two", needs: after("one"), action: task(200) },
    ],
  },
  {
    name: "canceled",
    mode: "fail_all",
    steps: [
      { id: "long", needs: [], action: task(endlessMs) },
      { id: "other", needs: [], action: task(endlessMs, { queue: "heavy" }) },
      { id: "never", needs: after("long", "other"), action: task(20) },
    ],
    finally: [{ id: "tidy", needs: [], action: task(40) }],
  },
];

/** The one that only ends when it is canceled. */
export const endlessSpec = "canceled";
