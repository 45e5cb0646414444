import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "@braid/testbed";
import { stepsOf } from "../loads.ts";
import type { Load } from "../loads.ts";
import { median, tableOf, whole } from "../measure.ts";
import type { Measure } from "../measure.ts";
import { withChildren } from "./child.ts";
import type { Child } from "./child.ts";
import { newDatabase, settle, withServer } from "./database.ts";
import type { Database } from "./database.ts";
import { fillWithMillion } from "./fill.ts";
import { measureHotRow } from "./hot-row.ts";

const PLACES = 100;
const ROUNDS = 5;

const LOADS: readonly (Load & { readonly name: string })[] = [
  { name: "chain 300 x 10", kind: "chain", runs: 300, size: 10 },
  { name: "map 1 x 10,000", kind: "map", runs: 1, size: 10_000 },
];

/** What one load costs on one database. */
interface Cost {
  readonly rate: number;
  readonly walBytes: number;
  readonly tableBytes: number;
}

/** One worker on empty tables and on tables that hold a million finished steps, in turn; then the hottest row of a wide fan-out. */
export async function measureSize(): Promise<readonly Measure[]> {
  return withServer(async (server) => [...(await measureMillion(server)), ...(await measureHotRow(server))]);
}

async function measureMillion(server: PostgresServer): Promise<readonly Measure[]> {
  const [empty, full] = [await newDatabase(server), await newDatabase(server)];
  const start = performance.now();
  await fillWithMillion(full);
  const count = await full.value<string>("SELECT count(*) FROM braid.steps WHERE status = 'completed'");
  console.error(`  ${whole(Number(count))} finished steps in ${((performance.now() - start) / 1_000).toFixed(0)} s`);
  const costs = await costsOf([empty, full]);
  const shares = await hotShares(empty);
  await empty.close();
  await full.close();
  const rows = LOADS.flatMap(({ name }) =>
    (["empty", "a million"] as const).map((tables, index) => {
      const { rate, walBytes, tableBytes } = costs.get(name)![index]!;
      return [name, tables, whole(rate), whole(walBytes), whole(tableBytes)];
    }),
  );
  console.log(`\n${tableOf(["load", "tables", "steps/s", "WAL bytes/step", "table and index bytes/step"], rows)}`);
  console.log(`HOT share of updates: ${shares}\n`);
  return LOADS.flatMap(({ name }) => {
    const [small, large] = costs.get(name)! as [Cost, Cost];
    return [
      {
        name: `postgres, ${name}, a million steps in the tables`,
        figure: `${whole(large.rate)} against ${whole(small.rate)} steps/s`,
        ratio: large.rate / small.rate,
      },
      {
        name: `postgres, ${name}, WAL`,
        figure: `${whole(small.walBytes)} bytes a step`,
        ratio: 1_024 / small.walBytes,
      },
      {
        name: `postgres, ${name}, tables and indexes`,
        figure: `${whole(small.tableBytes)} bytes a step`,
        ratio: 1_024 / small.tableBytes,
      },
    ];
  });
}

/** By load, one for each database; rounds on the databases take turns. */
async function costsOf(databases: readonly Database[]): Promise<ReadonlyMap<string, readonly Cost[]>> {
  const settings = databases.map(({ url }) => ({ url, concurrency: PLACES }));
  return withChildren(settings, async (children) => {
    const costs = new Map<string, readonly Cost[]>();
    for (const load of LOADS) {
      const rounds: Cost[][] = databases.map(() => []);
      for (const child of children) await child.ask("run", load);
      await settle(databases[0]!);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [index, database] of databases.entries()) {
          rounds[index]!.push(await costOf(children[index]!, database, load));
        }
      }
      costs.set(
        load.name,
        rounds.map((each) => ({
          rate: median(each.map(({ rate }) => rate)),
          walBytes: median(each.map(({ walBytes }) => walBytes)),
          // Tables grow by whole extents, so only all rounds together tell what a step takes.
          tableBytes: each.reduce((sum, { tableBytes }) => sum + tableBytes, 0) / ROUNDS,
        })),
      );
    }
    return costs;
  });
}

async function costOf(child: Child, database: Database, load: Load): Promise<Cost> {
  const steps = stepsOf(load);
  const wal = await database.value<string>("SELECT pg_current_wal_lsn()");
  const bytes = await bytesOf(database);
  const ms = await child.ask("run", load);
  const walBytes = await database.value<string>("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1)", [wal]);
  return {
    rate: (steps / ms) * 1_000,
    walBytes: Number(walBytes) / steps,
    tableBytes: ((await bytesOf(database)) - bytes) / steps,
  };
}

async function bytesOf(database: Database): Promise<number> {
  return Number(
    await database.value<string>(
      "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = 'braid'::regnamespace AND relkind = 'r'",
    ),
  );
}

/** Updates that needed no new index entries, by table; sessions hand in their counts when they end. */
async function hotShares(database: Database): Promise<string> {
  await sleep(1_000);
  const rows = await database.rows<{ readonly table: string; readonly all: number; readonly hot: number }>(`
    SELECT relname AS table, n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables
    WHERE schemaname = 'braid' AND n_tup_upd > 100 ORDER BY n_tup_upd DESC`);
  return rows.map(({ table, all, hot }) => `${table} ${((hot / all) * 100).toFixed(0)} % of ${whole(all)}`).join(", ");
}
