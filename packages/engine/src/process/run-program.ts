import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { forgetGroup, watchGroup } from "./group-watcher.ts";
import { type CapturedOutput, OutputCapture } from "./output-capture.ts";
import { GroupMembers, GroupStop } from "./process-group.ts";
import { type ShellScript, shellArgv } from "./shell.ts";
import { explainSpawnError } from "./spawn-problem.ts";

export interface ProgramOptions {
  /** An argument list, run without any shell, or a script. */
  readonly command: readonly string[] | ShellScript;
  /** The whole environment: nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Aborted: SIGTERM to the process group, SIGKILL after the grace time. */
  readonly signal: AbortSignal;
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /** Time between SIGTERM and SIGKILL. Default 5,000. */
  readonly graceMs?: number;
  /** Time that processes which the program leaves behind have to end by themselves. Default 1,000. */
  readonly drainMs?: number;
  /** Largest part of each stream that is kept. Default 1 MiB. */
  readonly maxOutputBytes?: number;
}

export type ProgramResult =
  | {
      readonly kind: "exited";
      /** null when a signal ended the program. */
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly stdout: CapturedOutput;
      readonly stderr: CapturedOutput;
      /** Whether `signal` was aborted before the program had ended by itself. */
      readonly isStopped: boolean;
    }
  | { readonly kind: "unstarted"; readonly code: string; readonly message: string };

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** After SIGKILL the pipes of a group close within moments, unless a process outside it holds them. */
const closeAfterKillMs = 500;

/**
 * Runs a program in a process group of its own, without input, and answers when the whole group has ended.
 *
 * What the program leaves behind in its group (`server &`) has `drainMs` to end and is stopped then, so an attempt that
 * is over has no process left. A process that left the group (`setsid`) is not waited for and not stopped. The group
 * also ends when this process dies.
 *
 * Nothing that comes from a definition or from the program makes it throw; what `onOutput` throws stops the program and
 * is thrown again.
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const { command, cwd, env, signal } = options;
  if (signal.aborted)
    return { kind: "unstarted", code: "ABORT_ERR", message: "Stopped before the program was started." };
  const [file = "", ...args] = "script" in command ? shellArgv(command) : command;
  let child: Child;
  try {
    child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    if (child.pid === undefined) {
      const [error] = (await once(child, "spawn").catch((cause: unknown) => [cause])) as [unknown];
      return { kind: "unstarted", ...(await explainSpawnError(error, file, cwd)) };
    }
  } catch (error) {
    return { kind: "unstarted", ...(await explainSpawnError(error, file, cwd)) };
  }
  return await follow(child, child.pid, options);
}

async function follow(child: Child, groupId: number, options: ProgramOptions): Promise<ProgramResult> {
  const { signal, graceMs = 5_000, drainMs = 1_000, maxOutputBytes = 1_048_576 } = options;
  const stop = new GroupStop(groupId, graceMs);
  const onAbort = (): void => stop.begin();
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, by) => resolve({ code, signal: by }));
  });
  // `error` also reports a signal that could not be sent; without a listener it would end this process.
  child.on("error", () => {});
  signal.addEventListener("abort", onAbort, { once: true });
  watchGroup(groupId);

  let broken: { readonly cause: unknown } | undefined;
  const capture = (name: "stdout" | "stderr"): OutputCapture => {
    const kept = new OutputCapture(maxOutputBytes);
    child[name].on("error", () => {});
    child[name].on("data", (chunk: Buffer) => {
      kept.add(chunk);
      try {
        if (broken === undefined) options.onOutput?.(name, chunk);
      } catch (cause) {
        broken = { cause };
        stop.begin();
      }
    });
    return kept;
  };
  const stdout = capture("stdout");
  const stderr = capture("stderr");

  const { code, signal: by } = await exit;
  const isStopped = signal.aborted;
  await settleGroup(child, { groupId, stop, drainMs });
  signal.removeEventListener("abort", onAbort);
  stop.end();
  forgetGroup(groupId);
  if (broken !== undefined) throw broken.cause;
  return { kind: "exited", exitCode: code, signal: by, stdout: stdout.finish(), stderr: stderr.finish(), isStopped };
}

/** Waits, once the leader is gone, until the group is empty and its output has been read, and helps after `drainMs`. */
async function settleGroup(
  child: Child,
  { groupId, stop, drainMs }: { readonly groupId: number; readonly stop: GroupStop; readonly drainMs: number },
): Promise<void> {
  const members = new GroupMembers(groupId);
  const leaveAt = performance.now() + drainMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const isEmpty = !members.areRunning();
    const isRead = child.stdout.closed && child.stderr.closed;
    if (isEmpty && isRead) return;
    const now = performance.now();
    if (now >= leaveAt && !isEmpty) stop.begin();
    const isEnough = isEmpty ? now >= leaveAt : now >= (stop.killedAtMs ?? Infinity) + closeAfterKillMs;
    if (isEnough) break;
    await closedOrLater(child, pauseMs);
  }
  child.stdout.destroy();
  child.stderr.destroy();
}

function closedOrLater(child: Child, pauseMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      child.off("close", done);
      resolve();
    };
    const timer = setTimeout(done, pauseMs);
    child.once("close", done);
  });
}
