import type { RetryDefinition } from "../definition/model.ts";
import type { RetryPolicy } from "./plan.ts";

/**
 * What holds where neither the step nor `defaults` says otherwise: one attempt. A retry that says only how many starts
 * after a second, doubles its delay up to five minutes and moves it by up to a tenth, so that tasks that failed together
 * do not come back together.
 */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 1,
  delayMs: 1000,
  backoff: "exponential",
  factor: 2,
  maxDelayMs: 300_000,
  jitter: 0.1,
  on: null,
};

/** Fills a policy field by field: the step's own word, then `defaults`, then {@link DEFAULT_RETRY}. */
export function retryPolicyOf(own: RetryDefinition = {}, defaults: RetryDefinition = {}): RetryPolicy {
  const merged = { ...defaults, ...own };
  return {
    maxAttempts: merged.maxAttempts ?? DEFAULT_RETRY.maxAttempts,
    delayMs: merged.delay ?? DEFAULT_RETRY.delayMs,
    backoff: merged.backoff ?? DEFAULT_RETRY.backoff,
    factor: merged.factor ?? DEFAULT_RETRY.factor,
    // A first delay above the documented bound was meant.
    maxDelayMs: merged.maxDelay ?? Math.max(DEFAULT_RETRY.maxDelayMs, merged.delay ?? 0),
    jitter: merged.jitter ?? DEFAULT_RETRY.jitter,
    on: merged.on ?? DEFAULT_RETRY.on,
  };
}
