import type { Io } from "../../io.ts";

/** Why a worker ends: it was asked to, or it cannot go on. */
export type EndReason = { readonly kind: "asked" } | { readonly kind: "failed"; readonly error: unknown };

/**
 * The end of a worker, which may be asked for at any time, from the first moment on. Only the first reason counts; a signal
 * after it means: at once. A hang-up of the terminal is left to the system, so that `nohup` works.
 */
export class Ending {
  readonly reached: Promise<EndReason>;
  /** Somebody does not want to wait any longer. */
  readonly hurried: Promise<void>;
  #reach: (reason: EndReason) => void = () => {};
  #hurry: () => void = () => {};
  #isReached = false;

  constructor(io: Io) {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.hurried = new Promise((resolve) => (this.#hurry = resolve));
    io.onStopSignal(() => this.#ask(), ["SIGINT", "SIGTERM"]);
  }

  get isReached(): boolean {
    return this.#isReached;
  }

  fail(error: unknown): void {
    this.#end({ kind: "failed", error });
  }

  /** Waits, but not beyond the end. */
  async wait(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const time = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([time, this.reached]);
    clearTimeout(timer);
  }

  #ask(): void {
    if (this.#isReached) this.#hurry();
    else this.#end({ kind: "asked" });
  }

  #end(reason: EndReason): void {
    this.#isReached = true;
    this.#reach(reason);
  }
}
