import type { RetryPolicy } from "../plan/plan.ts";
import type { StepError } from "./status.ts";

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * 32-bit FNV-1a of the text's UTF-16 code units, low byte first.
 * Source: Fowler, Noll, Vo; IETF draft-eastlake-fnv.
 */
export function fnv1a(text: string): number {
  let hash = OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), PRIME);
    hash = Math.imul(hash ^ (unit >>> 8), PRIME);
  }
  return hash >>> 0;
}

/**
 * Milliseconds before the attempt after `attempt` (the first try is 1). `fixed` is always `delayMs`; `linear` grows by
 * `delayMs` with each attempt; `exponential` multiplies it by `factor`. The cap comes first, then jitter moves the delay by up to
 * its share either way. Jitter is a hash of `seed` (run, step, task and attempt), so every host and every replay gives the same.
 */
export function retryDelay(policy: RetryPolicy, attempt: number, seed: string): number {
  const grown = Math.min(grow(policy, attempt), policy.maxDelayMs);
  if (policy.jitter === 0) return Math.round(grown);
  const unit = (fnv1a(seed) / 0xffffffff) * 2 - 1;
  return Math.round(Math.max(0, grown + grown * policy.jitter * unit));
}

function grow(policy: RetryPolicy, attempt: number): number {
  switch (policy.backoff) {
    case "fixed":
      return policy.delayMs;
    case "linear":
      return policy.delayMs * attempt;
    case "exponential":
      return policy.delayMs * policy.factor ** (attempt - 1);
    default:
      return policy.backoff satisfies never;
  }
}

/** Whether the policy allows another attempt after this failure. */
export function isRetried(policy: RetryPolicy, attemptsUsed: number, error: StepError): boolean {
  if (attemptsUsed >= policy.maxAttempts) return false;
  if (error.code === "condition_error" || error.code === "input_unresolved") return false;
  return policy.on === null || policy.on.includes(error.code);
}
