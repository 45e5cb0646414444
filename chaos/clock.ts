/** Monotonic milliseconds since the machine started: the same clock in every process. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
