import type { PlanStep } from "@braid/core";
import { expect, test } from "vitest";
import { gapOf, gapWords } from "./missing-worker.ts";
import type { WorkerGap } from "./missing-worker.ts";

type Host = Partial<PlanStep["host"]>;
const step = (host: Host = {}): Pick<PlanStep, "host"> =>
  ({ host: { queue: "default", resources: null, concurrency: null, ...host } }) as Pick<PlanStep, "host">;
const worker = (queues: readonly string[], resources: Readonly<Record<string, number>> = {}) => ({ queues, resources });

test.each<[string, Host, ReturnType<typeof worker>[], WorkerGap | null]>([
  ["nobody serves its queue", { queue: "gpu" }, [worker(["default"])], { kind: "queue", queue: "gpu" }],
  ["there are no workers", {}, [], { kind: "queue", queue: "default" }],
  [
    "no worker of its queue has enough",
    { queue: "gpu", resources: { cpu: 2, gpu: 1 } },
    [worker(["gpu"], { cpu: 1, gpu: 4 }), worker(["default"], { cpu: 9, gpu: 9 }), worker(["gpu"], { cpu: 9 })],
    { kind: "resources", queue: "gpu", resources: { cpu: 2, gpu: 1 } },
  ],
  [
    "it also has to pass a limit",
    { concurrency: { key: "payments", max: 1 } },
    [worker(["default"])],
    { kind: "limit", key: "payments", max: 1 },
  ],
  ["a worker has all that it asks for", { resources: { cpu: 2 } }, [worker(["default"], { cpu: 2 })], null],
  ["one that works on this run serves every queue", { queue: "gpu" }, [worker([])], null],
])("says what is missing where %s", (...[, host, workers, gap]) => {
  expect(gapOf(step(host), workers)).toEqual(gap);
});

test.each<[WorkerGap, string]>([
  [{ kind: "queue", queue: "gpu" }, "waits for a worker (no worker serves queue gpu)"],
  [
    { kind: "resources", queue: "default", resources: { cpu: 16 } },
    "waits for a worker (no worker of queue default has cpu=16)",
  ],
  [{ kind: "limit", key: "payments", max: 1 }, "waits for a worker, or for the limit of key payments (1 at a time)"],
])("%o is put into words", (gap, words) => {
  expect(gapWords(gap)).toBe(words);
});
