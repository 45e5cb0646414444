import type { JsonValue } from "@braid/core";
import type { Store } from "../port.ts";
import type { NewSignal, StoredSignal } from "../records.ts";
import { nextNoticeAfterMs } from "../prepared-commit.ts";
import { encodeJson } from "../storable.ts";
import type { Connection } from "./connection.ts";

/** Runs that somebody has to look at although no worker has a task of them: their time has come, or a signal has. */

type Due = Awaited<ReturnType<Store["dueRuns"]>>;

const dueByTime = "select id, due_at from runs where due_at <= ? order by due_at, id limit ?";

/** The index holds unused signals alone; left to itself, SQLite reads all signals in the order of the groups. */
const dueBySignal = `
select s.run_id, min(s.notice_at) as at
from signals s indexed by signals_to_notice join runs r on r.id = s.run_id
where s.notice_at <= ? and r.status in ('queued', 'running', 'paused')
group by s.run_id order by at, s.run_id limit ?`;

const nextByTime = "select min(due_at) from runs where due_at > ?";

const nextBySignal = `
select min(s.notice_at)
from signals s indexed by signals_to_notice join runs r on r.id = s.run_id
where s.notice_at > ? and r.status in ('queued', 'running', 'paused')`;

const noticesOf = "select seq, notices from signals where run_id = ? and notice_at <= ?";
const noticed = "update signals set notices = notices + 1, notice_at = ? where seq = ?";

interface Found {
  readonly now: number;
  readonly runIds: readonly string[];
  /** Those of them that a signal made due. */
  readonly signaled: readonly string[];
  readonly isMore: boolean;
}

/** Finds due runs, and puts off the next notice of the signals it tells of. */
export async function dueRuns(connection: Connection, limit: number, now: () => number): Promise<Due> {
  const { due, signaled } = await connection.read(() => {
    const found = findDue(connection, limit, now());
    return { due: dueOf(connection, found), signaled: found.signaled };
  });
  if (signaled.length === 0) return due;
  return connection.write(() => {
    const found = findDue(connection, limit, now());
    for (const runId of found.signaled) putOffNotices(connection, runId, found.now);
    return dueOf(connection, found);
  }, "lazy");
}

function findDue(connection: Connection, limit: number, now: number): Found {
  // One more than asked for tells whether some are left over.
  const byTime = connection.rows(dueByTime, [now, limit + 1]) as [string, number][];
  const bySignal = connection.rows(dueBySignal, [now, limit + 1]) as [string, number][];
  const all = [...byTime, ...bySignal].toSorted(([idA, a], [idB, b]) => a - b || (idA < idB ? -1 : 1));
  const unique = [...new Set(all.map(([runId]) => runId))];
  const runIds = unique.slice(0, limit);
  const told = new Set(runIds);
  const signaled = bySignal.map(([runId]) => runId).filter((runId) => told.has(runId));
  return { now, runIds, signaled, isMore: unique.length > limit };
}

function dueOf(connection: Connection, { now, runIds, isMore }: Found): Due {
  if (isMore) return { now, runIds, nextWakeAt: now };
  const instants = [nextByTime, nextBySignal]
    .map((sql) => connection.row(sql, [now])?.[0])
    .filter((instant) => typeof instant === "number");
  return { now, runIds, nextWakeAt: instants.length === 0 ? null : Math.min(...instants) };
}

function putOffNotices(connection: Connection, runId: string, now: number): void {
  for (const [seq, notices] of connection.rows(noticesOf, [runId, now]) as [number, number][]) {
    connection.run(noticed, [now + nextNoticeAfterMs(notices + 1), seq]);
  }
}

const insertSignal = `
insert into signals (run_id, id, name, verdict, payload, accepted_at, notices, notice_at) values (?, ?, ?, ?, ?, ?, 0, ?)
on conflict (run_id, id) do nothing`;

export async function putSignal(connection: Connection, signal: NewSignal, now: () => number): Promise<void> {
  const payload = encodeJson(signal.payload, `the payload of signal ${signal.id}`);
  await connection.write(() => {
    const at = now();
    connection.run(insertSignal, [signal.runId, signal.id, signal.name, signal.verdict, payload, at, at]);
  });
}

const unusedSignals = `
select id, name, verdict, payload, accepted_at from signals where run_id = ? and used_at is null order by seq`;

export function listSignals(connection: Connection, runId: string): readonly StoredSignal[] {
  return connection.rows(unusedSignals, [runId]).map((cells) => {
    const [id, name, verdict, payload, acceptedAt] = cells as [string, string, NewSignal["verdict"], string, number];
    return { id, runId, name, verdict, payload: JSON.parse(payload) as JsonValue, acceptedAt };
  });
}
