import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProgramSettings, Questions, Report, Request } from "./messages.ts";

const program = fileURLToPath(new URL("program.js", import.meta.url));

/** Another process of a benchmark, from the side that started it. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #onLast: () => void;
  #asked = 0;

  private constructor(process: ChildProcess, onLast: () => void) {
    this.#process = process;
    this.#onLast = onLast;
  }

  /** Resolves when it is ready. `onLast` is called for each run whose last function was called in it. */
  static async start(settings: ProgramSettings, onLast: () => void = () => {}): Promise<Child> {
    const child = new Child(fork(program, [JSON.stringify(settings)]), onLast);
    await new Promise<void>((resolve, reject) => {
      child.#process.on("message", (report: Report) => child.#hear(report, resolve));
      child.#process.once("exit", (code) => {
        const error = new Error(`a process of the benchmark ended with ${code}`);
        reject(error);
        for (const { reject: fail } of child.#waiting.values()) fail(error);
      });
    });
    return child;
  }

  ask<Name extends keyof Questions>(name: Name, ask: Questions[Name]["ask"]): Promise<Questions[Name]["answer"]> {
    this.#asked += 1;
    const request: Request<Name> = { id: this.#asked, name, ask };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#process.send(request);
    });
  }

  /** Ends its work in order, and the process with it. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => {
      this.#process.once("exit", resolve);
    });
    await this.ask("stop", null);
    await ended;
  }

  /** Ends the process at once, if it is still there. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #hear(report: Report, onReady: () => void): void {
    if (report.kind === "ready") onReady();
    else if (report.kind === "last") this.#onLast();
    else {
      this.#waiting.get(report.id)?.resolve(report.value as never);
      this.#waiting.delete(report.id);
    }
  }
}

/** Runs whose last function has been called, in whichever process. */
export class Tally {
  #count = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #onReached: () => void = () => {};

  add(): void {
    this.#count += 1;
    if (this.#count >= this.#wanted) this.#onReached();
  }

  /** Resolves when so many more have been added. */
  next(count: number): Promise<void> {
    this.#wanted = this.#count + count;
    return new Promise((resolve) => {
      this.#onReached = resolve;
    });
  }
}

/** Runs `use` with as many processes as there are settings, and ends them whatever comes. */
export async function withChildren<Value>(
  all: readonly ProgramSettings[],
  use: (children: readonly Child[], lasts: Tally) => Promise<Value>,
): Promise<Value> {
  const lasts = new Tally();
  const children: Child[] = [];
  try {
    for (const settings of all) children.push(await Child.start(settings, () => lasts.add()));
    const value = await use(children, lasts);
    await Promise.all(children.map((child) => child.stop()));
    return value;
  } finally {
    for (const child of children) child.kill();
  }
}
