import type { EngineOptions } from "@braid/engine";

/** Short leases, so that many are lost and taken over within a minute. */
export const leaseMs = 3_000;

/** Attempts at a time in one worker. */
export const workerConcurrency = 6;

export const pollIntervalMs = 500;

/** How long a worker that was told to leave waits for its attempts. */
export const drainMs = 1_500;

/** How long code that was told to stop may take. */
export const graceMs = 1_000;

export const queueNames = ["default", "fast", "heavy"] as const;

/** The first worker serves every queue, each other one all but one of the special ones. */
export function queuesOfWorker(index: number): readonly string[] {
  return index === 0 ? queueNames : queueNames.filter((_, place) => place === 0 || place !== 1 + (index % 2));
}

/** Keys of `concurrency`, and how many attempts at a time each allows. */
export const keyCaps: Readonly<Record<string, number>> = { red: 2, blue: 1 };

/** Attempts at a time of the step type `narrow`. */
export const narrowCap = 2;

/** Starts of the step type `rated`. */
export const rate = { count: 10, perMs: 1_000, burst: 2 } as const;

/** Limits over all workers. Every engine on the store has the same. */
export const limits: NonNullable<EngineOptions["limits"]> = {
  types: { narrow: { max: narrowCap }, rated: { rate } },
};

/** Clients that start runs, each with a way of its own to the database. */
export const clientNames = ["client-a", "client-b"] as const;
