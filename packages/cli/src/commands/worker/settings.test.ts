import { hostname } from "node:os";
import { expect, test } from "vitest";
import { noConfig } from "../../load/worker-config.ts";
import { describeWorker, readSettings } from "./settings.ts";
import type { WorkerCommandOptions } from "./settings.ts";

const given: WorkerCommandOptions = { concurrency: 10, drainTimeout: "30s" };

test("without options it takes ten steps of the default queue at a time", () => {
  const name = `${hostname()}-${process.pid}`;
  const work = { queues: ["default"], concurrency: 10, resources: {}, name };
  expect(readSettings(given)).toEqual({ work, leaseMs: undefined, drainMs: 30_000 });
});

test("options become milliseconds, and a queue counts once", () => {
  const options = { ...given, queue: ["a", "b", "a"], pollInterval: "2s", lease: "500ms", drainTimeout: "0" };
  const { work, leaseMs, drainMs } = readSettings(options);
  expect([work.queues, work.pollIntervalMs, leaseMs, drainMs]).toEqual([["a", "b"], 2_000, 500, 0]);
});

test.each([
  [{ lease: "400ms" }, "--lease must be at least 500ms, got `400ms`"],
  [{ lease: "soon" }, "--lease expects a duration"],
  [{ pollInterval: "0s" }, "--poll-interval expects a duration"],
  [{ drainTimeout: "x" }, "--drain-timeout expects a duration"],
])("%o is refused", (options, message) => {
  expect(() => readSettings({ ...given, ...options })).toThrow(message);
});

test("its first line names queues, capacity and what it can run", () => {
  const settings = readSettings({ ...given, queue: ["a", "b"], resources: { cpu: 8, gpu: 1 } });
  const config = {
    ...noConfig,
    types: [{ name: "weather", run: () => Promise.resolve({ output: null }) }],
    workflows: [{ definition: { name: "report" } as never }],
  };
  expect(describeWorker(settings, config)).toBe(
    "queues a, b; 10 at a time; resources cpu=8, gpu=1; step types command, http, weather; workflows report",
  );
});
