import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readProcessState } from "./process-state.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "braid-test-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs a script through `runProgram` in a Node process of its own, so that this process can be killed. */
function startParent(script: string): ReturnType<typeof spawn> {
  const source = fileURLToPath(new URL("./run-program.ts", import.meta.url));
  const program = `
    import { createJiti } from "jiti";
    const { runProgram } = await createJiti(import.meta.url).import(process.env.SOURCE);
    await runProgram({
      command: { script: process.env.SCRIPT },
      env: { PATH: process.env.PATH },
      cwd: process.env.DIRECTORY,
      signal: new AbortController().signal,
    });
    process.stdout.write("ended");
  `;
  return spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { PATH: process.env["PATH"], SOURCE: source, SCRIPT: script, DIRECTORY: directory },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Zombies are not alive: how soon process 1 takes note of them is not what is tested here. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return readProcessState(pid)?.isZombie !== true;
}

async function until<Value>(find: () => Promise<Value | undefined>): Promise<Value> {
  const end = performance.now() + 15_000;
  for (;;) {
    const value = await find();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error("the condition never came true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function readPid(name: string): Promise<number> {
  return until(async () => Number(await readFile(join(directory, name), "utf8").catch(() => "")) || undefined);
}

function gone(pid: number): Promise<boolean> {
  return until(async () => !isAlive(pid) || undefined);
}

test("ends the programs of a process that was killed", { timeout: 30_000 }, async () => {
  const parent = startParent("sleep 60 & echo $! > child; echo $$ > leader; wait");
  const [leader, child] = [await readPid("leader"), await readPid("child")];
  expect([isAlive(leader), isAlive(child)]).toEqual([true, true]);
  parent.kill("SIGKILL");
  await gone(leader);
  await gone(child);
});

test("kills programs that ignore the first signal", { timeout: 30_000 }, async () => {
  const parent = startParent("trap '' TERM; echo $$ > leader; while :; do sleep 0.05; done");
  const leader = await readPid("leader");
  parent.kill("SIGKILL");
  await gone(leader);
});

test("does not keep its process running", { timeout: 30_000 }, async () => {
  const parent = startParent("echo $PPID > parent");
  const output = await new Promise<string>((resolve) => {
    let text = "";
    parent.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    parent.once("close", () => resolve(text));
  });
  expect(output).toBe("ended");
  await gone(await readPid("parent"));
});
