import { ok as assert } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startGuard } from "./guard.ts";

// To the guard a release and the death of its owner are the same thing: the end of its input.

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "braid-guard-"));
  await writeFile(join(directory, "file"), "");
  return directory;
}

function startSleeper(): { readonly pid: number; readonly ended: Promise<unknown[]> } {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  assert(child.pid !== undefined);
  return { pid: child.pid, ended: once(child, "exit") };
}

test("ends the process that it watches and removes the directory", async () => {
  const directory = await makeDirectory();
  const { pid, ended } = startSleeper();
  const guard = startGuard(directory);
  guard.watch(pid);
  await guard.release();
  expect(await ended).toEqual([null, "SIGQUIT"]);
  expect(existsSync(directory)).toBe(false);
});

test("ends a process that is paused", async () => {
  const { pid, ended } = startSleeper();
  process.kill(pid, "SIGSTOP");
  const guard = startGuard(await makeDirectory());
  guard.watch(pid);
  await guard.release();
  expect(await ended).toEqual([null, "SIGQUIT"]);
});

test("leaves a process alone that it was told to forget, and watches the last one named", async () => {
  const [first, second] = [startSleeper(), startSleeper()];
  const guard = startGuard(await makeDirectory());
  guard.watch(first.pid);
  guard.watch(undefined);
  guard.watch(second.pid);
  await guard.release();
  expect(await second.ended).toEqual([null, "SIGQUIT"]);
  expect(process.kill(first.pid, "SIGTERM")).toBe(true);
  expect(await first.ended).toEqual([null, "SIGTERM"]);
});

test("removes the directory also if there is no process", async () => {
  const directory = await makeDirectory();
  const guard = startGuard(directory);
  guard.watch(undefined);
  await guard.release();
  expect(existsSync(directory)).toBe(false);
});
