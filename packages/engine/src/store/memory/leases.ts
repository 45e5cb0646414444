import { followUpAfterMs } from "../run-commit.ts";
import type { HeartbeatAnswer, HeartbeatRequest, SweepAnswer } from "../claims.ts";
import { encodeJson } from "../storable.ts";
import type { MemoryData } from "./data.ts";
import { stepKey } from "./rows.ts";
import type { MemoryStep } from "./rows.ts";

export function heartbeat(data: MemoryData, request: HeartbeatRequest, now: number): HeartbeatAnswer {
  const leases = request.leases.map((lease): HeartbeatAnswer["leases"][number] => {
    const run = data.runs.get(lease.runId);
    const row = run?.steps.get(stepKey(lease.step, lease.task));
    const attempt = row?.attempt;
    if (run === undefined || row === undefined || attempt?.dispatch !== "leased" || attempt.token !== lease.token) {
      return { kind: "lost" };
    }
    const progress = lease.progress === undefined ? {} : { progress: encodeJson(lease.progress, "progress") };
    data.install(run, {
      ...row,
      attempt: { ...attempt, leaseUntil: now + request.leaseMs },
      payload: { ...row.payload, ...progress },
    });
    return { kind: "renewed", stopCause: attempt.stopAsked };
  });
  return { now, leases };
}

export function sweep(
  data: MemoryData,
  request: { readonly limit: number; readonly deadWorkers?: readonly string[] },
  now: number,
): SweepAnswer {
  const dead = new Set(request.deadWorkers);
  const ended = [...data.leased]
    .filter(({ attempt }) => {
      const { dispatch, leaseUntil, worker } = attempt!;
      return leaseUntil! <= now || (dispatch === "leased" && dead.has(worker!));
    })
    .toSorted((a, b) => a.attempt!.leaseUntil! - b.attempt!.leaseUntil! || compareKeys(a, b))
    .slice(0, request.limit);
  const revoked = new Set<string>();
  for (const row of ended) {
    const attempt = row.attempt!;
    if (attempt.dispatch === "leased") revoked.add(row.runId);
    data.install(data.runs.get(row.runId)!, {
      ...row,
      attempt: { ...attempt, dispatch: "lost", leaseUntil: now + followUpAfterMs, stopAsked: null },
    });
  }
  for (const runId of revoked) data.runs.get(runId)!.version += 1;
  const lost = ended.map(({ runId, step, task, attempt }) => ({ runId, step, task, attempt: attempt!.number }));
  return { now, lost };
}

function compareKeys(a: MemoryStep, b: MemoryStep): number {
  if (a.runId !== b.runId) return a.runId < b.runId ? -1 : 1;
  return a.step - b.step || a.task - b.task;
}
