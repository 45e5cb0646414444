import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chown, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { startGuard, type Guard } from "./guard.ts";
import { temporaryRoot, unprivilegedIdentity } from "./unprivileged.ts";

export interface Command {
  readonly path: string;
  readonly arguments: readonly string[];
}

/** Nothing of our own environment: `PGOPTIONS` or a time zone of the developer must not change what a test sees. */
const ENVIRONMENT: NodeJS.ProcessEnv = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/**
 * A server program in a temporary directory of its own, which it owns and works in. It can stop and start again there, and is
 * gone with its directory after `remove()`, or when this process ends in whatever way (see `startGuard`).
 *
 * It neither keeps this process alive nor hears the Ctrl-C of its terminal: only its owner decides how it ends.
 */
export class Program {
  readonly home: string;
  readonly logFile: string;
  readonly #guard: Guard;
  #child: ChildProcess | undefined;
  #outputStart = 0;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(home: string, guard: Guard) {
    this.home = home;
    this.logFile = join(home, "log");
    this.#guard = guard;
  }

  /** Makes the directory; `name` becomes part of its path. */
  static async create(name: string): Promise<Program> {
    const home = await mkdtemp(join(temporaryRoot(), `braid-${name}-`));
    const identity = unprivilegedIdentity();
    if (identity !== undefined) await chown(home, identity.uid, identity.gid);
    return new Program(home, startGuard(home));
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Starts the program; what it prints is added to the log file. Throws if there is no such program. */
  async start(command: Command): Promise<void> {
    this.#outputStart = await sizeOf(this.logFile);
    const log = openSync(this.logFile, "a");
    const child = spawn(command.path, command.arguments, {
      ...unprivilegedIdentity(),
      cwd: this.home,
      env: ENVIRONMENT,
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    await once(child, "spawn");
    this.#child = child;
    this.#exited = once(child, "exit").then(() => this.#guard.watch(undefined));
    this.#guard.watch(child.pid);
    child.unref();
  }

  /** Runs a program to its end, and throws what it printed if it fails. */
  async run(command: Command): Promise<void> {
    await this.start(command);
    await this.waitForExit();
    if (this.#child?.exitCode !== 0) throw new Error(`\`${command.path}\` failed:\n${await this.readOutput()}`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(signal);
  }

  /** Resolves at once if nothing runs. */
  async waitForExit(): Promise<void> {
    this.#child?.ref();
    await this.#exited;
  }

  /** What the program has printed since it was started last. */
  async readOutput(): Promise<string> {
    const log = await readFile(this.logFile);
    return log.subarray(this.#outputStart).toString("utf8");
  }

  /** Ends the program, if it still runs, without asking it, and removes its directory. */
  async remove(): Promise<void> {
    this.signal("SIGKILL");
    await this.waitForExit();
    // Processes of a killed server notice it within milliseconds and may still write a file meanwhile, hence the retries.
    await rm(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    await this.#guard.release();
  }
}

async function sizeOf(path: string): Promise<number> {
  const status = await stat(path).catch(() => undefined);
  return status?.size ?? 0;
}
