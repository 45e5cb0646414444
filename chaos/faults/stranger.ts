import { Client } from "pg";
import { monotonicMs } from "../clock.ts";

const mostRuns = 4;
const pauseMs = 60;
const lookEveryMs = 100;
/** How long it waits for somebody whom it holds up. */
const patienceMs = 4_000;
/** For so long it then holds them up: longer than the workers wait for a lock, which is five seconds. */
const holdMs = 5_500;

export interface Stranger {
  /** Rows that it held. */
  readonly held: number;
  /** Whether somebody waited for them, for as long as one does. */
  readonly wasInTheWay: boolean;
}

/**
 * A session of somebody else locks rows of runs that are under way, highest id first, where workers lock the lowest first: so each
 * may come to wait for the other, and one that waits too long has to give up.
 */
export async function lockRows(url: string, wait: (ms: number) => Promise<void>): Promise<Stranger> {
  const client = new Client({ connectionString: url, application_name: "stranger" });
  client.on("error", () => undefined);
  let held = 0;
  let wasInTheWay = false;
  try {
    await client.connect();
    await client.query("begin");
    const { rows } = await client.query<{ id: string }>(
      `select r.id from braid.runs r where r.finished_at is null
        and exists (select 1 from braid.steps s where s.run_id = r.id and s.dispatch = 'leased') order by r.id desc limit $1`,
      [mostRuns],
    );
    for (const { id } of rows) {
      await client.query("select 1 from braid.runs where id = $1 for update", [id]);
      held += 1;
      await wait(pauseMs);
    }
    const isAwaited = await isWaitedFor(client, wait);
    if (isAwaited) await wait(holdMs);
    await client.query("rollback");
    wasInTheWay = isAwaited;
  } catch {
    // It lost a deadlock, or its session with the server: the workers are rid of it.
  } finally {
    await client.end().catch(() => undefined);
  }
  return { held, wasInTheWay };
}

async function isWaitedFor(client: Client, wait: (ms: number) => Promise<void>): Promise<boolean> {
  const until = monotonicMs() + patienceMs;
  while (monotonicMs() < until) {
    const { rowCount } = await client.query(
      "select 1 from pg_stat_activity where application_name = 'braid' and pg_backend_pid() = any (pg_blocking_pids(pid)) limit 1",
    );
    if (rowCount === 1) return true;
    await wait(lookEveryMs);
  }
  return false;
}
