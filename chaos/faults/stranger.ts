import type { SeededRandom } from "@braid/engine/testing";
import { Client } from "pg";

const mostRuns = 4;
const pauseMs = 60;
/** Longer than the workers wait for a lock. */
const holdMs: readonly [least: number, most: number] = [1_000, 6_500];

/**
 * A session of somebody else locks rows of runs that are under way, highest id first, where workers lock the lowest first: so each
 * may come to wait for the other, and one that waits too long has to give up. Answers how many rows it held.
 */
export async function lockRows(
  url: string,
  random: SeededRandom,
  wait: (ms: number) => Promise<void>,
): Promise<number> {
  const client = new Client({ connectionString: url, application_name: "stranger" });
  client.on("error", () => undefined);
  let held = 0;
  try {
    await client.connect();
    await client.query("begin");
    const { rows } = await client.query<{ id: string }>(
      "select id from braid.runs where finished_at is null order by id desc limit $1",
      [mostRuns],
    );
    for (const { id } of rows) {
      await client.query("select 1 from braid.runs where id = $1 for update", [id]);
      held += 1;
      await wait(pauseMs);
    }
    await wait(random.integer(...holdMs));
    await client.query("rollback");
  } catch {
    // It lost a deadlock, or its session with the server: the workers are rid of it.
  } finally {
    await client.end().catch(() => undefined);
  }
  return held;
}
