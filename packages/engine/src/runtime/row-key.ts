/** More items than any map may have. The product stays exact for every step index of a plan. */
const MOST_TASKS = 0x400_0000;

/** One number for a step and a task of it, for look-ups; both from -1. */
export const rowKey = (step: number, task: number): number => (step + 1) * MOST_TASKS + task + 1;
