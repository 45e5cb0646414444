import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createEngine, workflow } from "@braid/engine";
import type { Engine } from "@braid/engine";
import type { PostgresServer } from "@braid/testbed";
import { tableOf } from "../measure.ts";
import type { Measure } from "../measure.ts";
import { withChildren } from "./child.ts";
import { newDatabase, withServer } from "./database.ts";
import type { Database } from "./database.ts";

const RUNS = 100;
const WATCHED_MS = 20_000;
/** Until a worker's pauses have grown to their longest. */
const CALM_MS = 6_000;
/** What an idle worker may ask a second. */
const TARGET = 2;

interface Quiet {
  readonly statements: number;
  /** Statements a second by name. */
  readonly names: ReadonlyMap<string, number>;
}

/** Statements a second of a worker that has nothing to do, and of what waits: every statement, as the server's own log counts them. */
export async function measureIdle(): Promise<readonly Measure[]> {
  return withServer(async (server) => {
    const database = await newDatabase(server);
    await logAll(database);
    const engine = await createEngine({ store: database.url });
    const [worker, paused, sleeping] = await withChildren([{ url: database.url, concurrency: 10 }], async () => {
      const alone = await quietOf(server);
      await makePaused(engine);
      const withPaused = await quietOf(server);
      await makeSleeping(engine, database);
      return [alone, withPaused, await quietOf(server)];
    });
    await engine.close();
    await database.close();
    const rows = [
      rowOf("idle worker", worker),
      rowOf(`and ${RUNS} paused runs`, paused),
      rowOf(`and ${RUNS} sleeping runs`, sleeping),
    ];
    console.log(`\n${tableOf(["a second", "statements", "which"], rows)}\n`);
    return [
      {
        name: "postgres, idle worker",
        figure: `${worker.statements.toFixed(2)} statements/s`,
        ratio: TARGET / worker.statements,
      },
      more(`${RUNS} paused runs`, paused, worker),
      more(`${RUNS} sleeping runs`, sleeping, paused),
    ];
  });
}

const more = (name: string, quiet: Quiet, before: Quiet): Measure => ({
  name: `postgres, ${name}`,
  figure: `${(quiet.statements - before.statements).toFixed(2)} statements/s more`,
  ratio: null,
});

const rowOf = (name: string, quiet: Quiet): string[] => [name, quiet.statements.toFixed(2), namesOf(quiet)];

const namesOf = ({ names }: Quiet): string =>
  [...names]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, rate]) => `${name} ${rate.toFixed(2)}`)
    .join(", ");

async function logAll(database: Database): Promise<void> {
  await database.rows("ALTER SYSTEM SET log_statement = 'all'");
  await database.rows("ALTER SYSTEM SET log_line_prefix = '%a|'");
  await database.rows("SELECT pg_reload_conf()");
}

/** Every statement stands in the log once, by its name where it has one. */
async function quietOf(server: PostgresServer): Promise<Quiet> {
  await sleep(CALM_MS);
  const from = (await readFile(server.logFile, "utf8")).length;
  await sleep(WATCHED_MS);
  const lines = (await readFile(server.logFile, "utf8")).slice(from).split("\n");
  const seconds = WATCHED_MS / 1_000;
  const names = new Map<string, number>();
  for (const line of lines) {
    const [, name, text] = /^braid\|LOG: {2}(?:execute ([^:]*)|statement): (.*)/.exec(line) ?? [];
    if (text === undefined) continue;
    const key = name ?? text.slice(0, 30);
    names.set(key, (names.get(key) ?? 0) + 1 / seconds);
  }
  const statements = [...names.values()].reduce((sum, rate) => sum + rate, 0);
  return { statements, names };
}

/** The worker does not know these workflows' functions; nobody asks for them while they wait. */
async function makePaused(engine: Engine): Promise<void> {
  const source = workflow("paused").sleep("wait", "1h");
  for (let run = 0; run < RUNS; run += 1) {
    const { id } = await engine.start(source);
    await engine.pause(id);
  }
}

async function makeSleeping(engine: Engine, database: Database): Promise<void> {
  const source = workflow("sleeping").sleep("wait", "1h");
  for (let run = 0; run < RUNS; run += 1) await engine.start(source);
  const sleepers = (): Promise<number> =>
    database.value("SELECT count(*)::int FROM braid.runs WHERE workflow = 'sleeping' AND wake_at IS NOT NULL");
  while ((await sleepers()) < RUNS) await sleep(100);
}
