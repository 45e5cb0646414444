import type { PostgresServer } from "@braid/testbed";
import { stepsOf } from "../loads.ts";
import type { Load } from "../loads.ts";
import { median, tableOf, whole } from "../measure.ts";
import type { Measure } from "../measure.ts";
import { withChildren } from "./child.ts";
import type { Child, Tally } from "./child.ts";
import type { StoreCounts } from "./counted-store.ts";
import { newDatabase, settle, untilAllEnded, withServer } from "./database.ts";
import type { Database } from "./database.ts";

const PLACES = 100;
const WORKERS = [1, 2, 4];
const ROUNDS = 3;

const LOADS: readonly (Load & { readonly name: string })[] = [
  { name: "chain 200 x 10", kind: "chain", runs: 200, size: 10 },
  { name: "diamond 400 x 5", kind: "diamond", runs: 400, size: 5 },
  { name: "fan-out 1 x 1,000", kind: "fan-out", runs: 1, size: 1_000 },
  { name: "map 1 x 10,000", kind: "map", runs: 1, size: 10_000 },
];

interface Outcome {
  readonly rate: number;
  /** Sums over all workers and rounds, for each thousand steps. */
  readonly refused: number;
  readonly wastedRows: number;
  readonly locked: number;
}

/** Processes that are asked for the same load: the first starts runs and has no worker. */
interface Fleet {
  readonly starter: Child;
  readonly workers: readonly Child[];
  readonly lasts: Tally;
  readonly database: Database;
}

/** Steps per second with one, two and four worker processes that share every run; the runs are started by a process without a worker. */
export async function measureWorkers(): Promise<readonly Measure[]> {
  return withServer(async (server) => {
    const outcomes = new Map<string, Outcome>();
    for (const workers of WORKERS) {
      await withFleet({ server, workers }, async (fleet) => {
        for (const load of LOADS) outcomes.set(`${load.name}/${workers}`, await outcomeOf(fleet, load));
      });
    }
    const rows = LOADS.flatMap(({ name }) =>
      WORKERS.map((workers) => {
        const { rate, refused, wastedRows, locked } = outcomes.get(`${name}/${workers}`)!;
        return [name, `${workers}`, whole(rate), refused.toFixed(1), wastedRows.toFixed(1), locked.toFixed(1)];
      }),
    );
    const head = ["load", "workers", "steps/s", "refused runs", "wasted rows", "locked runs"];
    console.log(`\n${tableOf(head, rows)}\n(the last three for each 1,000 steps)\n`);
    return LOADS.flatMap(({ name }) => {
      const alone = outcomes.get(`${name}/1`)!.rate;
      return WORKERS.map((workers) => {
        const { rate } = outcomes.get(`${name}/${workers}`)!;
        return {
          name: `postgres, ${name}, ${workers} workers`,
          figure: `${whole(rate)} steps/s`,
          ratio: workers === 1 ? null : rate / alone,
        };
      });
    });
  });
}

/** Runs `use` with worker processes and one that only starts runs, all on one new database. */
export async function withFleet<Value>(
  { server, workers }: { readonly server: PostgresServer; readonly workers: number },
  use: (fleet: Fleet) => Promise<Value>,
): Promise<Value> {
  const database = await newDatabase(server);
  const { url } = database;
  try {
    const starter = { url, concurrency: 0, maxConcurrent: PLACES * workers };
    const others = Array.from({ length: workers }, () => ({ url, concurrency: PLACES, tellsLast: true }));
    return await withChildren([starter, ...others], ([first, ...rest], lasts) =>
      use({ starter: first!, workers: rest, lasts, database }),
    );
  } finally {
    await database.close();
  }
}

/** Milliseconds from the submission to the end of the last run. */
export async function timeOf({ starter, workers, lasts, database }: Fleet, load: Load): Promise<number> {
  for (const child of [starter, ...workers]) await child.ask("prepare", load);
  const allCalled = lasts.next(load.runs);
  const start = performance.now();
  const ended = starter.ask("run", load);
  await allCalled;
  await untilAllEnded(database);
  const ms = performance.now() - start;
  // The starter hears of the end a little later, and checks the results.
  await ended;
  return ms;
}

async function outcomeOf(fleet: Fleet, load: Load): Promise<Outcome> {
  await timeOf(fleet, { ...load, runs: Math.ceil(load.runs / 10) });
  await settle(fleet.database);
  for (const worker of fleet.workers) await worker.ask("reset", null);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timeOf(fleet, load));
  const counts = await Promise.all(fleet.workers.map((worker) => worker.ask("counts", null)));
  const steps = stepsOf(load);
  const each = (name: keyof StoreCounts): number =>
    (counts.reduce((sum, count) => sum + count[name], 0) / (steps * ROUNDS)) * 1_000;
  return {
    rate: (steps / median(times)) * 1_000,
    refused: each("refused"),
    wastedRows: each("wastedRows"),
    locked: each("locked"),
  };
}
