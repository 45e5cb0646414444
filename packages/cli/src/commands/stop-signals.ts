import { exitCode } from "../exit-code.ts";
import type { Io, StopSignal } from "../io.ts";

/**
 * Stop signals of a command that works on a run, from its first moment to its last. One that comes before anybody can act
 * on it is kept: between the creation of a run and the first look at it, Ctrl-C must neither be lost nor leave a run behind that
 * nobody works on. After the run has ended nothing is left to stop, and the exit code stays the run's.
 */
export class StopSignals {
  #listener: ((signal: StopSignal) => void) | null = null;
  readonly #kept: StopSignal[] = [];

  constructor(io: Io) {
    io.onStopSignal((signal) => {
      if (this.#listener !== null) this.#listener(signal);
      else if (this.#kept.length > 0) io.exit(exitCode.canceled);
      else this.#kept.push(signal);
    });
  }

  /** Hands signals over, beginning with those that were kept. Returns a function after which they mean nothing more. */
  listen(listener: (signal: StopSignal) => void): () => void {
    this.#listener = listener;
    for (const signal of this.#kept.splice(0)) listener(signal);
    return () => {
      this.#listener = () => {};
    };
  }
}
