import type { JsonObject, Plan } from "@braid/core";

/** The newest completed runs are enough for a mean, and bound its cost in a store of any size. */
export const sampledRuns = 50;

/** How long one step of one version took, over `count` runs together. */
export interface DurationSample {
  readonly workflowVersion: number;
  readonly step: number;
  readonly totalMs: number;
  readonly count: number;
}

/** Mean duration of each step by its id: versions of a workflow may number their steps differently. */
export function meanDurations(
  samples: Iterable<DurationSample>,
  planOf: (version: number) => Plan | undefined,
): JsonObject {
  const plans = new Map<number, Plan | undefined>();
  const totals = new Map<string, { readonly totalMs: number; readonly count: number }>();
  for (const { workflowVersion, step, totalMs, count } of samples) {
    if (!plans.has(workflowVersion)) plans.set(workflowVersion, planOf(workflowVersion));
    const id = plans.get(workflowVersion)?.steps[step]?.id;
    if (id === undefined) continue;
    const sum = totals.get(id) ?? { totalMs: 0, count: 0 };
    totals.set(id, { totalMs: sum.totalMs + totalMs, count: sum.count + count });
  }
  return Object.fromEntries([...totals].map(([id, { totalMs, count }]) => [id, totalMs / count]));
}
