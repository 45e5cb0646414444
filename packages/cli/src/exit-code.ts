import type { RunResult } from "@braid/engine";

/** What the exit code of `braid` says. Other programs rely on these numbers. */
export const exitCode = {
  /** The run completed, also with warnings; or the command did what was asked. */
  ok: 0,
  /** The run failed. */
  failed: 1,
  /** The command line, an input or a definition is not valid; nothing was run. */
  usage: 2,
  /** The engine itself could not go on: store, worker, or a fault of the program. */
  engine: 3,
  /** The run ended by its own timeout. */
  timeout: 124,
  /** The run was canceled. */
  canceled: 130,
} as const;

/** The part of a result that decides the exit code. */
export type RunOutcome = Pick<RunResult, "status" | "error">;

/** Exit code for a run that has ended. A step that timed out is an ordinary failure: only the run's own clock gives 124. */
export function exitCodeOfRun(outcome: RunOutcome): number {
  switch (outcome.status) {
    case "completed":
      return exitCode.ok;
    case "canceled":
      return exitCode.canceled;
    case "failed":
      return outcome.error?.code === "timeout" && outcome.error.step === undefined ? exitCode.timeout : exitCode.failed;
    case "queued":
    case "running":
    case "paused":
      return exitCode.engine;
    default:
      return outcome.status satisfies never;
  }
}
