import { spawn } from "node:child_process";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
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
function startParent(script: string, variables: Record<string, string> = {}): ReturnType<typeof spawn> {
  const [PROGRAM, WATCHER] = ["./run-program.ts", "./group-watcher.ts"].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  const program = `
    import { writeFileSync } from "node:fs";
    import { createJiti } from "jiti";
    const jiti = createJiti(import.meta.url);
    const { runProgram } = await jiti.import(process.env.PROGRAM);
    const { startGroupWatcher } = await jiti.import(process.env.WATCHER);
    if (process.env.EARLY) startGroupWatcher();
    const ended = runProgram({
      command: { script: process.env.SCRIPT },
      env: { PATH: process.env.PATH },
      cwd: process.env.DIRECTORY,
      signal: new AbortController().signal,
    });
    // The call has told the watcher when it comes back, so from here on a kill must be covered.
    writeFileSync(process.env.DIRECTORY + "/started", "");
    await ended;
    process.stdout.write("ended");
  `;
  return spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { PATH: process.env["PATH"], PROGRAM, WATCHER, SCRIPT: script, DIRECTORY: directory, ...variables },
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

/** Kills the parent as soon as it has told its watcher of the program. */
async function killOnceStarted(parent: ReturnType<typeof spawn>): Promise<void> {
  await until(
    async () =>
      await access(join(directory, "started")).then(
        () => true,
        () => undefined,
      ),
  );
  parent.kill("SIGKILL");
}

function gone(pid: number): Promise<boolean> {
  return until(async () => !isAlive(pid) || undefined);
}

test.each([
  { when: "with its first program", variables: {} },
  { when: "ahead of it", variables: { EARLY: "1" } },
])(
  "ends the programs of a process that was killed, its watcher started $when",
  { timeout: 30_000 },
  async ({ variables }) => {
    const parent = startParent("sleep 60 & echo $! > child; echo $$ > leader; wait", variables);
    const [leader, child] = [await readPid("leader"), await readPid("child")];
    expect([isAlive(leader), isAlive(child)]).toEqual([true, true]);
    await killOnceStarted(parent);
    await gone(leader);
    await gone(child);
  },
);

test("lets the programs of a killed process clean up", { timeout: 30_000 }, async () => {
  // Its own stderr: the shell reports there that `sleep` was stopped, and nobody is left to read the pipe.
  const script = "exec 2>/dev/null; trap 'echo 1 > cleaned; exit' TERM; echo $$ > leader; while :; do sleep 0.01; done";
  const parent = startParent(script);
  const leader = await readPid("leader");
  await killOnceStarted(parent);
  await gone(leader);
  expect(await readPid("cleaned")).toBe(1);
});

test("kills programs that ignore the first signal", { timeout: 30_000 }, async () => {
  const parent = startParent("trap '' TERM; echo $$ > leader; while :; do sleep 0.05; done");
  const leader = await readPid("leader");
  await killOnceStarted(parent);
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
