import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signalGroup } from "./process-group.ts";
import { readProcessState } from "./process-state.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "braid-test-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function start(command: ProgramOptions["command"], options: Partial<ProgramOptions> = {}): Promise<ProgramResult> {
  return runProgram({ command, env, cwd: directory, signal: new AbortController().signal, ...options });
}

async function exited(
  command: ProgramOptions["command"],
  options?: Partial<ProgramOptions>,
): Promise<Extract<ProgramResult, { kind: "exited" }>> {
  const result = await start(command, options);
  if (result.kind !== "exited") throw new Error(result.message);
  return result;
}

/** Starts a script that writes `ready` once it may be stopped, and stops it then. */
async function stopOnceReady(script: string, options: Partial<ProgramOptions> = {}): Promise<ProgramResult> {
  const controller = new AbortController();
  const result = await start(
    { script },
    {
      signal: controller.signal,
      onOutput: (_stream, chunk) => {
        if (chunk.toString().includes("ready")) controller.abort(new Error("canceled"));
      },
      ...options,
    },
  );
  return result;
}

async function readPid(name: string): Promise<number> {
  return Number(await readFile(join(directory, name), "utf8"));
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

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 8_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("the condition never came true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("answers the exit code and both streams of a script", async () => {
  const result = await exited({ script: "echo out; echo err >&2; exit 3" });
  expect(result).toMatchObject({ exitCode: 3, signal: null, isStopped: false });
  expect(result.stdout).toEqual({ text: "out\n", isTruncated: false });
  expect(result.stderr.text).toBe("err\n");
});

test("stops a script at the first command that fails, also inside a pipe", async () => {
  const result = await exited({ script: "false | cat; echo never" });
  expect(result.exitCode).toBe(1);
  expect(result.stdout.text).toBe("");
});

test("gives a script its arguments as data", async () => {
  const hostile = "$(touch hacked); `touch hacked` \"'; touch hacked";
  const result = await exited({ script: 'printf "%s|%s" "$1" "$0"', args: [hostile] });
  expect(result.stdout.text).toBe(`${hostile}|braid`);
  await expect(readFile(join(directory, "hacked"))).rejects.toThrow("ENOENT");
});

test("gives an argument list to the program unchanged", async () => {
  const words = ["a b", "", "$HOME", "'\"\\", "*", "ü\n"];
  const result = await exited(["printf", "[%s]", ...words]);
  expect(result.stdout.text).toBe(words.map((word) => `[${word}]`).join(""));
});

test("passes only the environment it is given", async () => {
  const result = await exited(["env"], { env: { ...env, ONLY: "1" } });
  expect(result.stdout.text.trim().split("\n").toSorted()).toEqual([`ONLY=1`, `PATH=${env.PATH}`]);
});

test("closes the input, so that a program that reads does not wait", async () => {
  expect((await exited(["cat"])).exitCode).toBe(0);
});

test("reports the signal that ended a program", async () => {
  expect(await exited({ script: "kill -KILL $$" })).toMatchObject({ exitCode: null, signal: "SIGKILL" });
});

test.each([
  { shell: "sh", script: 'echo "$0 $1"', expected: "braid x\n" },
  { shell: "node", script: "console.log(process.argv.at(-1))", expected: "x\n" },
  { shell: ["bash", "-c"], script: 'false; echo "$1"', expected: "x\n" },
])("runs a script with the shell $shell", async ({ shell, script, expected }) => {
  expect((await exited({ script, shell, args: ["x"] })).stdout.text).toBe(expected);
});

test.each([
  {
    name: "a program that is missing",
    command: ["no-such-program"],
    code: "ENOENT",
    text: "`no-such-program` was not found",
  },
  { name: "an empty command", command: [], code: "ERR_INVALID_ARG_VALUE", text: "" },
  { name: "a NUL in an argument", command: ["echo", "a\0b"], code: "ERR_INVALID_ARG_VALUE", text: "NUL" },
  { name: "an argument that is too large", command: ["echo", "x".repeat(200_000)], code: "E2BIG", text: "128 KiB" },
  { name: "a directory", command: ["/"], code: "EACCES", text: "may not be executed" },
])("says why $name does not start", async ({ command, code, text }) => {
  const result = await start(command);
  expect(result).toMatchObject({ kind: "unstarted", code, message: expect.stringContaining(text) as string });
});

test("tells a missing directory from a missing program", async () => {
  expect(await start(["echo"], { cwd: "/no/such/place" })).toMatchObject({
    kind: "unstarted",
    message: "The working directory `/no/such/place` does not exist.",
  });
  await writeFile(join(directory, "file"), "");
  expect(await start(["echo"], { cwd: join(directory, "file") })).toMatchObject({
    message: expect.stringContaining("is not a directory") as string,
  });
});

test("does not start a program whose signal is already aborted", async () => {
  const result = await start({ script: "touch started" }, { signal: AbortSignal.abort() });
  expect(result).toMatchObject({ kind: "unstarted", code: "ABORT_ERR" });
  await expect(readFile(join(directory, "started"))).rejects.toThrow("ENOENT");
});

test("stops the whole group, grandchildren included, when aborted", async () => {
  const result = await stopOnceReady(
    "sleep 60 & echo $! > child; (sleep 60 & echo $! > grandchild; echo ready; wait); wait",
  );
  expect(result).toMatchObject({ kind: "exited", signal: "SIGTERM", isStopped: true });
  expect(isAlive(await readPid("child"))).toBe(false);
  expect(isAlive(await readPid("grandchild"))).toBe(false);
});

test("lets a program clean up after SIGTERM within its grace time", async () => {
  const result = await stopOnceReady("trap 'echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  expect(result).toMatchObject({ exitCode: 7, isStopped: true, stdout: { text: "ready\ncleaned\n" } });
});

test("kills a grandchild that ignores SIGTERM after the grace time", async () => {
  const result = await stopOnceReady(
    "(trap '' TERM; echo ready; sleep 60 & echo $! > grandchild; wait; while :; do sleep 60; done) & wait",
    { graceMs: 100 },
  );
  expect(result).toMatchObject({ isStopped: true });
  await until(async () => !isAlive(await readPid("grandchild")));
});

test("does not wait for a process that left the group, and leaves it alone", async () => {
  const result = await exited(
    { script: "setsid sh -c 'echo $$ > escaped; exec sleep 60' & until [ -s escaped ]; do sleep 0.01; done" },
    {
      drainMs: 50,
    },
  );
  expect(result.exitCode).toBe(0);
  const escaped = await readPid("escaped");
  expect(isAlive(escaped)).toBe(true);
  process.kill(escaped, "SIGKILL");
});

test.each([
  { name: "that hold its output", redirect: "" },
  { name: "that hold nothing", redirect: ">/dev/null 2>&1" },
])("stops processes $name when the program has ended", async ({ redirect }) => {
  const result = await exited({ script: `sleep 60 ${redirect} & echo $! > left; echo done` }, { drainMs: 50 });
  expect(result).toMatchObject({ exitCode: 0, isStopped: false, stdout: { text: "done\n" } });
  const left = await readPid("left");
  await until(() => !isAlive(left));
});

test("waits for the last output of a process that ends by itself", async () => {
  const result = await exited({ script: "(sleep 0.02; echo late) & echo early" });
  expect(result.stdout.text).toBe("early\nlate\n");
});

test("keeps the first and the last half of a stream and marks the cut", async () => {
  const seen: number[] = [];
  const result = await exited(
    { script: "head -c 3000000 /dev/zero | tr '\\0' a; printf END" },
    { maxOutputBytes: 1_000, onOutput: (_stream, chunk) => seen.push(chunk.length) },
  );
  expect(result.stdout.isTruncated).toBe(true);
  expect(result.stdout.text.startsWith("a".repeat(500))).toBe(true);
  expect(result.stdout.text.endsWith(`${"a".repeat(497)}END`)).toBe(true);
  expect(seen.reduce((sum, size) => sum + size, 0)).toBe(3_000_003);
});

test("decodes bytes that are not UTF-8 and keeps NUL", async () => {
  const result = await exited({ script: String.raw`printf 'a\377\303b\0c'` });
  expect(result.stdout.text).toBe("a\ufffd\ufffdb\0c");
});

test("stops the program and throws when the listener throws", async () => {
  const failure = new Error("sink");
  const run = start(
    { script: "echo $$ > leader; echo x; sleep 60" },
    {
      onOutput: () => {
        throw failure;
      },
    },
  );
  await expect(run).rejects.toBe(failure);
  expect(isAlive(await readPid("leader"))).toBe(false);
});

test("knows an empty group from one with members", async () => {
  expect(signalGroup(2_147_483_000, 0)).toBe(false);
  const result = await exited({ script: "echo $$" });
  expect(signalGroup(Number(result.stdout.text), 0)).toBe(false);
});
