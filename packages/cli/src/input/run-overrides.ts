import type { RunOverrides } from "@braid/core";
import { UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";

export interface OverrideOptions {
  readonly maxConcurrent?: number;
  readonly timeoutMs?: number;
  readonly failFast?: boolean;
}

const defaultMaxConcurrent = 10;

/**
 * Settings of one run that win over the file's. The cap is, in this order: the flag, what the file says, the variables
 * `BRAID_MAX_CONCURRENT` and `WORKFLOW_CONCURRENCY`, and 10.
 */
export function runOverrides(
  env: Io["env"],
  options: OverrideOptions,
  fileMaxConcurrent: number | undefined,
): RunOverrides {
  const maxConcurrent =
    options.maxConcurrent ??
    fileMaxConcurrent ??
    positiveInteger(env, "BRAID_MAX_CONCURRENT") ??
    positiveInteger(env, "WORKFLOW_CONCURRENCY") ??
    defaultMaxConcurrent;
  return {
    maxConcurrent,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.failFast === undefined ? {} : { mode: options.failFast ? "fail_all" : "continue" }),
  };
}

function positiveInteger(env: Io["env"], name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UsageError(`the variable ${name} must be a positive integer, got \`${text}\``);
}
