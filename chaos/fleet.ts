import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TcpProxy } from "@braid/testbed";
import { isDoneWithin, sleep } from "./clock.ts";
import { queuesOfWorker } from "./settings.ts";
import type { WorkerOrders } from "./worker/main.ts";

/** A worker's process: `up` with a process that runs, `paused` with one that stands still, `leaving`, or `down`. */
export type SlotState = "up" | "paused" | "leaving" | "down";

const program = fileURLToPath(new URL("worker/main.js", import.meta.url));
const START_AGAIN_MS = 500;

/** The place of one worker: a proxy of its own to the database, and a process that comes and goes. */
export class WorkerSlot {
  readonly name: string;
  readonly proxy: TcpProxy;
  readonly #directory: string;
  readonly #url: string;
  readonly #queues: readonly string[];
  readonly #onTrouble: (text: string) => void;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #births = 0;
  #isExitExpected = false;
  state: SlotState = "down";

  constructor(parts: SlotParts) {
    this.name = parts.name;
    this.proxy = parts.proxy;
    this.#directory = parts.directory;
    this.#url = parts.url;
    this.#queues = parts.queues;
    this.#onTrouble = parts.onTrouble;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts a process; resolves when it works, or has ended before it did. */
  async start(): Promise<void> {
    this.#births += 1;
    const name = `${this.name}.${this.#births}`;
    const orders: WorkerOrders = {
      name,
      url: this.#url,
      queues: this.#queues,
      oracle: join(this.#directory, `${name}.oracle`),
    };
    const log = openSync(join(this.#directory, `${name}.log`), "a");
    const child = fork(program, [JSON.stringify(orders)], { stdio: ["ignore", log, log, "ipc"] });
    this.#child = child;
    this.#isExitExpected = false;
    this.state = "up";
    this.#exited = new Promise((resolve) =>
      child.once("exit", (code, signal) => resolve(this.#onExit(child, code ?? signal))),
    );
    const ready = new Promise<void>((resolve) => {
      child.on("message", (message) => {
        if (message === "ready") resolve();
        else this.#onTrouble(`worker ${name}: ${(message as { readonly fault: string }).fault}`);
      });
    });
    await Promise.race([ready, this.#exited]);
  }

  #onExit(child: ChildProcess, how: unknown): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.state = "down";
    if (this.#isExitExpected) return;
    this.#onTrouble(`worker ${this.name}.${this.#births} ended by itself: ${String(how)}`);
    void sleep(START_AGAIN_MS).then(() => (this.state === "down" ? this.start() : undefined));
  }

  /** Kills the process at once; it leaves everything as it is. */
  async kill(): Promise<void> {
    this.#isExitExpected = true;
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  /** As `kill`, for a program that is just ending. */
  killNow(): void {
    this.#isExitExpected = true;
    this.#child?.kill("SIGKILL");
  }

  pause(): void {
    this.state = "paused";
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    if (this.state === "paused") this.state = "up";
    this.#child?.kill("SIGCONT");
  }

  /** Asks the process to leave; answers whether it did in time. */
  async leave(withinMs: number): Promise<boolean> {
    this.state = "leaving";
    this.#isExitExpected = true;
    this.#child?.kill("SIGTERM");
    const isGone = await isDoneWithin(withinMs, this.#exited);
    if (!isGone) await this.kill();
    return isGone;
  }
}

interface SlotParts {
  readonly name: string;
  readonly proxy: TcpProxy;
  readonly directory: string;
  readonly url: string;
  readonly queues: readonly string[];
  readonly onTrouble: (text: string) => void;
}

export interface FleetParts {
  readonly count: number;
  readonly directory: string;
  readonly serverUrl: string;
  /** Told of what no worker may do: end by itself, or give up. */
  readonly onTrouble: (text: string) => void;
}

/** Makes the places of all workers; none is started. */
export async function makeFleet({
  count,
  directory,
  serverUrl,
  onTrouble,
}: FleetParts): Promise<readonly WorkerSlot[]> {
  const slots: WorkerSlot[] = [];
  for (let index = 0; index < count; index += 1) {
    const proxy = await TcpProxy.start(serverUrl);
    const url = proxy.url(serverUrl);
    slots.push(
      new WorkerSlot({ name: `w${index + 1}`, proxy, directory, url, queues: queuesOfWorker(index), onTrouble }),
    );
  }
  return slots;
}
