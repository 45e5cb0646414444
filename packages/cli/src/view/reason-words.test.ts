import type { PendingReason } from "@braid/core";
import { expect, test } from "vitest";
import { planOf } from "../testing/trace.ts";
import { reasonWords } from "./reason-words.ts";

const plan = planOf(`
name: reasons
steps:
  - { id: a, run: "true" }
  - { id: checks, parallel: [{ id: b, run: "true" }] }
`);

const cases: readonly (readonly [reason: PendingReason, words: string])[] = [
  [{ kind: "running", attempt: 2 }, "attempt 2 is running"],
  [{ kind: "members", remaining: 3 }, "3 of its members have not settled"],
  [{ kind: "worker" }, "waits for a worker"],
  [{ kind: "stopping" }, "is being stopped"],
  [{ kind: "slot", scope: 0 }, "waits for a free slot of the run"],
  [{ kind: "slot", scope: 1 }, "waits for a free slot of checks"],
  [{ kind: "rate", scope: 0, until: 1500 }, "held back by the rate limit of the run in 500ms"],
  [{ kind: "timer", timer: "retry", until: 3000 }, "next attempt in 2.0s"],
  [{ kind: "signal", name: "go" }, "waits for the signal go"],
  [{ kind: "child" }, "waits for its child run"],
  [{ kind: "evaluation" }, "its conditions are being evaluated"],
  [{ kind: "paused" }, "the run is paused"],
  [{ kind: "dependencies", steps: ["a", "b", "c", "d", "e"] }, "waits for a, b, c and 2 more"],
  [{ kind: "block", step: "checks" }, "waits for checks to start"],
];

test.each(cases)("%j is: %s", (reason, words) => {
  expect(reasonWords(reason, plan, 1000)).toBe(words);
});
