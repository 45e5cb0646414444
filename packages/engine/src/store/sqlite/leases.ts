import type { StopCause } from "@braid/core";
import type { Cell } from "../codec.ts";
import { followUpAfterMs } from "../run-commit.ts";
import type { HeartbeatAnswer, HeartbeatRequest, SweepAnswer } from "../claims.ts";
import type { TaskKey } from "../run-commit.ts";
import { encodeJson } from "../storable.ts";
import type { Connection } from "./connection.ts";

/** The right of a worker to an attempt: taken by a claim (`claim.ts`), kept by heartbeats, revoked by a sweep. */

const renew = `
update steps set lease_until = ?
where run_id = ? and step_index = ? and task_index = ? and lease_token = ? and dispatch = 'leased'`;

const readStop = "select stop_asked from steps where run_id = ? and step_index = ? and task_index = ?";
const putProgress = "update steps set progress = ? where run_id = ? and step_index = ? and task_index = ?";

/** Renews leases by their tokens. A lease that is past its end but was not swept still holds, and is renewed. */
export async function heartbeat(
  connection: Connection,
  request: HeartbeatRequest,
  now: () => number,
): Promise<HeartbeatAnswer> {
  return connection.write(() => {
    const at = now();
    const leases = request.leases.map((lease): HeartbeatAnswer["leases"][number] => {
      const { runId, step, task, token, progress } = lease;
      const place: Cell[] = [runId, step, task];
      if (connection.run(renew, [at + request.leaseMs, ...place, token]) === 0) return { kind: "lost" };
      if (progress !== undefined) connection.run(putProgress, [encodeJson(progress, "progress"), ...place]);
      return { kind: "renewed", stopCause: (connection.row(readStop, place)?.[0] ?? null) as StopCause | null };
    });
    return { now: at, leases };
  }, "lazy");
}

/** Attempts whose lease has ended or whose worker is dead, and lost ones whose report is overdue. */
const ended = `
select run_id, step_index, task_index, dispatch_attempt, dispatch from steps
where lease_until is not null and (
  lease_until <= ?2 or (dispatch = 'leased' and worker in (select value from json_each(?3)))
)
order by lease_until, run_id, step_index, task_index
limit ?1`;

const revoke = `
update steps set dispatch = 'lost', lease_until = ?, stop_asked = null
where run_id = ? and step_index = ? and task_index = ?`;

const raiseVersion = "update runs set version = version + 1 where id = ?";

export async function sweep(
  connection: Connection,
  request: { readonly limit: number; readonly deadWorkers?: readonly string[] },
  now: () => number,
): Promise<SweepAnswer> {
  const deadWorkers = JSON.stringify(request.deadWorkers ?? []);
  // Nearly every sweep finds nothing; a look first keeps it from taking the write lock.
  const isAnyEnded = await connection.read(() => connection.row(ended, [1, now(), deadWorkers]) !== undefined);
  if (!isAnyEnded) return { now: now(), lost: [] };
  return connection.write(() => {
    const at = now();
    const found = connection.rows(ended, [request.limit, at, deadWorkers]);
    const revoked = new Set<string>();
    const lost = found.map((cells): TaskKey & { readonly runId: string } => {
      const [runId, step, task, attempt, dispatch] = cells as [string, number, number, number, string];
      if (dispatch === "leased") revoked.add(runId);
      connection.run(revoke, [at + followUpAfterMs, runId, step, task]);
      return { runId, step, task, attempt };
    });
    for (const runId of revoked) connection.run(raiseVersion, [runId]);
    return { now: at, lost };
  });
}
