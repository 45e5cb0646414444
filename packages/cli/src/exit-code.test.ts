import { expect, test } from "vitest";
import { exitCodeOfRun } from "./exit-code.ts";
import type { RunOutcome } from "./exit-code.ts";

const cases: readonly (readonly [outcome: RunOutcome, code: number])[] = [
  [{ status: "completed", error: null }, 0],
  [{ status: "failed", error: { code: "exit_code", message: "", step: "build" } }, 1],
  [{ status: "failed", error: { code: "timeout", message: "", step: "build" } }, 1],
  [{ status: "failed", error: { code: "timeout", message: "" } }, 124],
  [{ status: "canceled", error: null }, 130],
  [{ status: "running", error: null }, 3],
];

test.each(cases)("%j exits with %i", (outcome, code) => {
  expect(exitCodeOfRun(outcome)).toBe(code);
});
