import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "@braid/testbed";
import { stepsOf } from "../loads.ts";
import type { Load } from "../loads.ts";
import { tableOf, whole } from "../measure.ts";
import type { Measure } from "../measure.ts";
import type { Database } from "./database.ts";
import { timeOf, withFleet } from "./workers.ts";

const LOAD: Load = { kind: "fan-out", runs: 1, size: 10_000 };
const WORKERS = 4;
const SAMPLE_MS = 10;
/** A wait for a lock that lasts longer is written into the server's log. */
const LOGGED_MS = 10;

/** Sessions that wait for a lock, as they were found. */
interface Waits {
  readonly samples: number;
  readonly waiting: number;
  readonly most: number;
}

/** The wide fan-out on four workers: which row is written how often, and who waits for whom. */
export async function measureHotRow(server: PostgresServer): Promise<readonly Measure[]> {
  return withFleet({ server, workers: WORKERS }, async (fleet) => {
    const { database } = fleet;
    await timeOf(fleet, { ...LOAD, size: LOAD.size / 10 });
    await logWaits(database);
    const from = (await readFile(server.logFile, "utf8")).length;
    const sampler = new Sampler(database);
    const ms = await timeOf(fleet, LOAD);
    const waits = await sampler.stop();
    const log = (await readFile(server.logFile, "utf8")).slice(from);
    const long = Array.from(log.matchAll(/ acquired \w+ on .* after ([\d.]+) ms/g), ([, text]) => Number(text));
    const deadlocks = await database.value<string>(
      "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    );
    await countUpdates(database);
    await timeOf(fleet, LOAD);
    const hottest = await hottestRows(database);
    const share = (waits.waiting / Math.max(1, waits.samples)).toFixed(2);
    const rows = [
      ["steps/s", whole((stepsOf(LOAD) / ms) * 1_000)],
      ["sessions that wait for a lock, mean and most", `${share}, ${waits.most} (${waits.samples} samples)`],
      [
        `waits longer than ${LOGGED_MS} ms`,
        long.length === 0 ? "0" : `${long.length}, longest ${Math.max(...long).toFixed(0)} ms`,
      ],
      ["deadlocks", deadlocks],
      ...hottest.map(({ what, updates }): string[] => [`updates of ${what}`, whole(updates)]),
    ];
    console.log(`\n${tableOf([`fan-out 1 x 10,000, ${WORKERS} workers`, ""], rows)}\n`);
    const [first] = hottest;
    return [
      {
        name: "postgres, fan-out 1 x 10,000, 4 workers, hottest row",
        figure: `${first?.what ?? "none"}, written ${whole(first?.updates ?? 0)} times`,
        ratio: stepsOf(LOAD) / Math.max(1, first?.updates ?? 0),
      },
    ];
  });
}

async function logWaits(database: Database): Promise<void> {
  await database.rows("ALTER SYSTEM SET log_lock_waits = on");
  await database.rows(`ALTER SYSTEM SET deadlock_timeout = '${LOGGED_MS}ms'`);
  await database.rows("SELECT pg_reload_conf()");
}

class Sampler {
  readonly #database: Database;
  readonly #ended: Promise<void>;
  #samples = 0;
  #waiting = 0;
  #most = 0;
  #isOn = true;

  constructor(database: Database) {
    this.#database = database;
    this.#ended = this.#sample();
  }

  async stop(): Promise<Waits> {
    this.#isOn = false;
    await this.#ended;
    return { samples: this.#samples, waiting: this.#waiting, most: this.#most };
  }

  async #sample(): Promise<void> {
    while (this.#isOn) {
      const waiting = await this.#database.value<number>(
        "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      this.#samples += 1;
      this.#waiting += waiting;
      this.#most = Math.max(this.#most, waiting);
      await sleep(SAMPLE_MS);
    }
  }
}

/** From now on each update of a row leaves a row of its own behind: too dear for what is timed, so that is done before. */
async function countUpdates(database: Database): Promise<void> {
  await database.rows("CREATE UNLOGGED TABLE public.updates (what text)");
  await database.rows(`
    CREATE FUNCTION public.note_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_TABLE_NAME = 'runs' THEN INSERT INTO public.updates VALUES ('the row of the run');
      ELSE INSERT INTO public.updates VALUES ('the row of step ' || NEW.step_index); END IF;
      RETURN NULL;
    END $$`);
  for (const table of ["runs", "steps"]) {
    await database.rows(
      `CREATE TRIGGER note_update AFTER UPDATE ON braid.${table} FOR EACH ROW EXECUTE FUNCTION public.note_update()`,
    );
  }
}

async function hottestRows(
  database: Database,
): Promise<readonly { readonly what: string; readonly updates: number }[]> {
  return database.rows(
    "SELECT what, count(*)::int AS updates FROM public.updates GROUP BY what ORDER BY count(*) DESC LIMIT 3",
  );
}
