import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import type { WorkerRecord } from "../store/records.ts";
import { findDeadWorkers, ownStart, processHost } from "./owners.ts";

const record = (more: Partial<WorkerRecord>): WorkerRecord => ({
  id: "w",
  host: processHost(),
  pid: process.pid,
  startedAt: ownStart(),
  name: "w",
  resources: {},
  queues: [],
  ...more,
});

test("a worker is dead when its process is gone or is another one, and only on this host", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" });
  const pid = child.pid!;
  const startedAt = Date.now();
  const others = [
    record({ id: "self" }),
    record({ id: "alive", pid, startedAt }),
    record({ id: "reused number", pid, startedAt: startedAt - 60_000 }),
    record({ id: "elsewhere", pid: 2 ** 22 + 1, host: "another machine" }),
    record({ id: "gone", pid: 2 ** 22 + 1 }),
  ];
  expect(await findDeadWorkers(others)).toEqual(["reused number", "gone"]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await findDeadWorkers(others)).toEqual(["alive", "reused number", "gone"]);
});
