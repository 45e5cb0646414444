import type { Load } from "../loads.ts";
import type { HandOver, StoreCounts } from "./counted-store.ts";

/** How a process of a benchmark is set up. */
export interface ProgramSettings {
  readonly url: string;
  /** Attempts at a time; 0: it has no worker and only starts runs. */
  readonly concurrency: number;
  /** Attempts of one run at a time, whichever process they are in. Default: as `concurrency`. */
  readonly maxConcurrent?: number;
  /** Whether it says when the last function of a run has been called. */
  readonly tellsLast?: boolean;
  readonly queues?: readonly string[];
  readonly pollIntervalMs?: number;
}

/** What a process of a benchmark can be asked. */
export interface Questions {
  /** Store the workflow of a load and know its functions. */
  readonly prepare: { readonly ask: Load; readonly answer: null };
  /** Start a load and wait for its runs: milliseconds from the first submission to the end of the last run. */
  readonly run: { readonly ask: Load; readonly answer: number };
  /** Count and note from now on. */
  readonly reset: { readonly ask: null; readonly answer: null };
  readonly counts: { readonly ask: null; readonly answer: StoreCounts };
  readonly handOvers: { readonly ask: null; readonly answer: readonly HandOver[] };
  /** Starts and stops of functions that were noted. */
  readonly marks: { readonly ask: null; readonly answer: readonly Mark[] };
  readonly stop: { readonly ask: null; readonly answer: null };
}

/** A function of a run was called, or told to stop. */
export interface Mark {
  readonly kind: "start" | "stop";
  readonly runId: string;
  readonly stepId: string;
  readonly at: number;
}

export interface Request<Name extends keyof Questions = keyof Questions> {
  readonly id: number;
  readonly name: Name;
  readonly ask: Questions[Name]["ask"];
}

/** From the process: that it is ready, an answer, or that the last function of a run has been called. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "last" }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown };
