import { createEngine } from "@braid/engine";
import { buildLoad } from "../loads.ts";
import type { Database } from "./database.ts";

const CHAINS = 50;
const CHAIN_COPIES = 1_000;
const ITEMS = 10_000;
const MAP_COPIES = 50;

/** Tables of a run, and how each names it. */
const TABLES = [
  ["runs", "id"],
  ["run_payloads", "run_id"],
  ["steps", "run_id"],
  ["step_items", "run_id"],
  ["trace_events", "run_id"],
] as const;

/**
 * Puts a million finished steps into the tables: half of them in 50,000 chains of ten, half in 50 maps of 10,000. A few such runs are
 * really run, and their rows are then copied under new ids of the day before, in order of time, as they would have come.
 */
export async function fillWithMillion(database: Database): Promise<void> {
  const engine = await createEngine({ store: database.url });
  const worker = await engine.work({ concurrency: 100 });
  const [chains, maps] = [buildLoad({ kind: "chain", size: 10 }), buildLoad({ kind: "map", size: ITEMS })];
  await engine.register(chains);
  await engine.register(maps);
  const handles = [
    ...(await engine.startMany(
      chains,
      Array.from({ length: CHAINS }, () => ({})),
    )),
    ...(await engine.startMany(maps, [{ overrides: { maxConcurrent: 100 } }])),
  ];
  await Promise.all(handles.map((handle) => handle.result()));
  await worker.stop();
  await engine.close();
  await database.rows(`
    CREATE TEMPORARY TABLE copies AS
    SELECT id AS old, n, overlay(overlay(gen_random_uuid()::text placing left(at, 8) || '-' || right(at, 4) from 1)
      placing '7' from 15)::uuid AS new
    FROM (
      SELECT r.id, n, lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 86400000
        + row_number() OVER (ORDER BY n, r.id)), 12, '0') AS at
      FROM braid.runs r
      CROSS JOIN LATERAL generate_series(1, CASE WHEN r.workflow LIKE 'map%' THEN ${MAP_COPIES} ELSE ${CHAIN_COPIES} END) AS n
    ) AS place`);
  await database.rows("ANALYZE copies");
  for (const [table, key] of TABLES) {
    const columns = await columnsOf(database, table);
    const others = columns.filter((name) => name !== key).map((name) => `"${name}"`);
    await database.rows(`
      INSERT INTO braid.${table} (${key}, ${others.join(", ")})
      SELECT c.new, ${others.map((name) => `t.${name}`).join(", ")}
      FROM copies c JOIN braid.${table} t ON t.${key} = c.old ORDER BY c.new`);
  }
  // What the server would do by itself in the middle of what is timed.
  await database.rows("VACUUM ANALYZE");
}

async function columnsOf(database: Database, table: string): Promise<readonly string[]> {
  const rows = await database.rows<{ readonly column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'braid' AND table_name = $1",
    [table],
  );
  return rows.map(({ column_name: name }) => name);
}
