import type { PendingReason, PlanStep } from "@braid/core";
import type { WorkerRecord } from "@braid/engine";
import type { OpenRun } from "../../store/open-run.ts";
import { formatAmounts } from "../../terminal/format.ts";
import { oneLine } from "../../terminal/sanitize.ts";

/** What keeps a queued task from being taken, as far as a store can tell. */
export type WorkerGap =
  | { readonly kind: "queue"; readonly queue: string }
  | { readonly kind: "resources"; readonly queue: string; readonly resources: Amounts }
  | { readonly kind: "limit"; readonly key: string; readonly max: number };

type Amounts = Readonly<Record<string, number>>;

/** A worker says that it is there twice a minute. */
const seenWithinMs = 90_000;

/** For each step that waits for a worker: what no worker has, by step id. Nothing is said where nothing is known. */
export async function workerGaps(
  { engine, loaded, plan }: OpenRun,
  reasons: ReadonlyMap<string, PendingReason>,
): Promise<ReadonlyMap<string, WorkerGap>> {
  const queued = new Set(loaded.steps.filter(({ status }) => status === "queued").map(({ step }) => step));
  const steps = plan.steps.filter((step) => queued.has(step.index) && reasons.has(step.id));
  if (steps.length === 0) return new Map();
  const holders = new Set(loaded.leases.map(({ worker }) => worker));
  const workers = (await engine.store.listWorkers()).filter(({ id, seenAt, queues }) => {
    // One without queues works on runs that were named to it; of these it is known only where it is at work.
    return seenAt > loaded.now - seenWithinMs && (queues.length > 0 || holders.has(id));
  });
  const gaps = steps.flatMap((step) => {
    const gap = gapOf(step, workers);
    // Some items of a map may run while others wait: only what no worker can ever do is worth a word.
    return gap === null || (step.isMap && gap.kind === "limit") ? [] : [[step.id, gap] as const];
  });
  return new Map(gaps);
}

/** Why no worker of these takes a task of the step. */
export function gapOf(
  { host }: Pick<PlanStep, "host">,
  workers: readonly Pick<WorkerRecord, "queues" | "resources">[],
): WorkerGap | null {
  const { queue, concurrency } = host;
  const serving = workers.filter(({ queues }) => queues.length === 0 || queues.includes(queue));
  if (serving.length === 0) return { kind: "queue", queue };
  const wanted = Object.entries((host.resources ?? {}) as Amounts);
  const isMet = serving.some(({ resources }) => wanted.every(([name, amount]) => (resources[name] ?? 0) >= amount));
  if (!isMet) return { kind: "resources", queue, resources: Object.fromEntries(wanted) };
  return concurrency === null ? null : { kind: "limit", key: concurrency.key, max: concurrency.max };
}

export function gapWords(gap: WorkerGap): string {
  switch (gap.kind) {
    case "queue":
      return `waits for a worker (no worker serves queue ${oneLine(gap.queue)})`;
    case "resources":
      return `waits for a worker (no worker of queue ${oneLine(gap.queue)} has ${oneLine(formatAmounts(gap.resources))})`;
    case "limit":
      return `waits for a worker, or for the limit of key ${oneLine(gap.key)} (${gap.max} at a time)`;
    default:
      return gap satisfies never;
  }
}

/** What a run that has not been started waits for: others of its group. */
export async function groupWait({ engine, loaded, plan }: OpenRun): Promise<string | null> {
  const limit = plan.host.concurrency;
  const group = loaded.meta["concurrencyGroup"];
  if (loaded.run.status !== "queued" || limit === null || typeof group !== "string") return null;
  const filter = { workflow: loaded.workflow, group, status: ["running", "paused"], limit: limit.max } as const;
  const ahead = (await engine.store.listRuns(filter)).map(({ id }) => id);
  const which = ahead.length === 0 ? "a worker that starts it" : ahead.join(", ");
  return `waits for ${which} (group ${oneLine(group)}, ${limit.max} at a time)`;
}
