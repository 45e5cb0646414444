import type { StopCause } from "@braid/core";
import { stepColumns } from "../codec.ts";
import { LimitRoom } from "../limits.ts";
import type { ClaimAnswer, ClaimedTask, ClaimRequest } from "../claims.ts";
import { takeQueued } from "../take-queued.ts";
import type { MemoryData } from "./data.ts";
import type { QueuedRow } from "./queue-index.ts";
import type { MemoryStep, OpenAttempt } from "./rows.ts";

const stopCauseIndex = stepColumns.findIndex(({ name }) => name === "stop_cause");

/** Takes queued tasks for the worker, at most each queue's limit, one queue after the other. */
export function claim(data: MemoryData, request: ClaimRequest, now: number): ClaimAnswer {
  const runIds = request.runIds === null ? null : new Set(request.runIds);
  const isWanted = (row: MemoryStep, { handler }: OpenAttempt): boolean =>
    (runIds === null || runIds.has(row.runId)) && (request.handlers === null || serves(request.handlers, handler));
  const isAnyParked = request.queues.some(({ queue }) => data.queued.hasParked(queue));
  const used = isAnyParked ? usedPlaces(data) : new Map<string, number>();
  const room = new LimitRoom({ now, used, rates: data.rates, resources: request.resources });
  const tasks: ClaimedTask[] = [];
  for (const { queue, limit } of request.queues) {
    takeQueued(data.queued.lanes(queue, isWanted), {
      limit,
      room,
      take: (entry) => tasks.push(lease(data, request, { entry, now })),
    });
  }
  for (const [name, tat] of room.changedRates()) data.rates.set(name, tat);
  return { now, tasks, nextAt: room.nextAt, fullerQueues: null };
}

/** How many attempts are leased under each name. */
function usedPlaces(data: MemoryData): Map<string, number> {
  const used = new Map<string, number>();
  for (const { attempt } of data.leased) {
    if (attempt?.dispatch !== "leased") continue;
    for (const { name } of attempt.needs?.limits ?? []) used.set(name, (used.get(name) ?? 0) + 1);
  }
  return used;
}

function lease(
  data: MemoryData,
  { worker, leaseMs }: ClaimRequest,
  { entry, now }: { readonly entry: QueuedRow; readonly now: number },
): ClaimedTask {
  const { row, runId, step, task } = entry;
  const run = data.runs.get(runId)!;
  const token = data.newToken();
  const held = { worker, token, leaseUntil: now + leaseMs, claimedAt: now };
  const attempt: OpenAttempt = { ...entry.attempt, ...held, dispatch: "leased" };
  data.install(run, { ...row, attempt });
  const { number, handler, queue, needs } = attempt;
  const resources = needs?.resources ?? null;
  return {
    runId,
    step,
    task,
    attempt: number,
    token,
    handler,
    queue,
    claimedAt: now,
    version: run.version,
    stopCause: row.cells[stopCauseIndex] as StopCause | null,
    resources: resources === null ? null : { ...resources },
  };
}

function serves(handlers: readonly string[], handler: string): boolean {
  return handlers.some((name) => (name.endsWith("/") ? handler.startsWith(name) : handler === name));
}
