import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { PostgresServer } from "@braid/testbed";
import { stepsOf } from "../loads.ts";
import type { Load } from "../loads.ts";
import { loadNow, median, tableOf, whole } from "../measure.ts";
import type { Measure } from "../measure.ts";
import { withChildren } from "./child.ts";
import { newDatabase, settle, withServer } from "./database.ts";

/** Attempts at a time, as for every peer. */
const IN_FLIGHT = 100;
/** How often each entrant has its turn, in a new process each time. */
const TURNS = 2;
/**
 * Rounds of one turn are begun for so long, by every entrant: a process that has just started is slower than one that has run for seconds,
 * whichever engine is in it, and a worker runs for days.
 */
const WITHIN_MS = 4_000;
/** More rounds than any entrant does in that time. */
const MOST_ROUNDS = 1_000;
/** An entrant whose round takes longer has one turn. */
const LONG_MS = 12_000;
const LIMIT_MS = 120_000;

const folder = fileURLToPath(new URL("../../peers/", import.meta.url));

/** Loads of `peers/shapes.js`, which is plain JavaScript and no part of this build. */
interface PeerTables {
  readonly shapes: Readonly<Record<string, Load>>;
  readonly peers: readonly string[];
  warmUpOf(shape: Load): Load;
}

async function readTables(): Promise<PeerTables> {
  const shapes = (await import(`${folder}shapes.js`)) as {
    readonly SHAPES: PeerTables["shapes"];
    readonly warmUpOf: PeerTables["warmUpOf"];
  };
  const { PEERS } = (await import(`${folder}peers.js`)) as { readonly PEERS: readonly string[] };
  return { shapes: shapes.SHAPES, warmUpOf: shapes.warmUpOf, peers: PEERS };
}

/** What stands for a durable step on the same PostgreSQL: the peers that Braid is held against. */
const ON_POSTGRES: ReadonlySet<string> = new Set(["pgflow", "dbos", "openworkflow", "absurd", "bullmq-postgres"]);
const ON_REDIS = "bullmq-redis";
const BRAID = "braid";
/** No engine: what the database can take. */
const FLOOR = "floor";

interface Result {
  readonly peer: string;
  readonly shape: string;
  readonly version?: string;
  /** Milliseconds of each timed round. */
  readonly rounds?: readonly number[];
  readonly refused?: string;
}

/** `npm run bench -- peers`: fetches the peers, which nothing else in the project needs. */
export function installPeers(): number {
  return spawnSync("npm", ["ci", "--prefix", folder], { stdio: "inherit" }).status ?? 1;
}

const arePeersInstalled = (): boolean => existsSync(`${folder}node_modules/pg`);

/**
 * Braid and its peers on one server in one sitting. Each is a process of its own in a database of its own, and all take
 * turns, so that whatever else the machine does hits all alike.
 */
export async function measurePeers(): Promise<readonly Measure[]> {
  const tables = await readTables();
  const entrants = [BRAID, ...(arePeersInstalled() ? tables.peers : [])];
  if (entrants.length === 1) {
    console.error("The peers are not installed, so Braid is timed alone: `npm run bench -- peers` installs them.");
  }
  return withServer(async (server) => {
    const sitting = new Sitting(tables, server);
    for (const shape of Object.keys(tables.shapes)) {
      for (let turn = 0; turn < TURNS; turn += 1)
        await sitting.turn(shape, turn % 2 === 0 ? entrants : entrants.toReversed());
    }
    console.log(`\n${sitting.table(entrants)}\n`);
    return Object.keys(tables.shapes).flatMap((shape) => sitting.measures(shape));
  });
}

class Sitting {
  readonly #tables: PeerTables;
  readonly #server: PostgresServer;
  readonly #results: Result[] = [];

  constructor(tables: PeerTables, server: PostgresServer) {
    this.#tables = tables;
    this.#server = server;
  }

  /** Each entrant once, in that order. */
  async turn(shape: string, entrants: readonly string[]): Promise<void> {
    for (const peer of entrants) {
      const before = this.#of(peer, shape);
      if (before.some(({ rounds, refused }) => refused !== undefined || Math.max(...(rounds ?? [])) > LONG_MS))
        continue;
      const load = loadNow();
      const result = peer === BRAID ? await this.#braid(shape) : await this.#peer(peer, shape);
      this.#results.push(result);
      console.error(`  ${shape}, ${peer}: ${result.refused ?? turnLine(this.#ratesOf(result))} (load ${load})`);
    }
  }

  #of(peer: string, shape: string): readonly Result[] {
    return this.#results.filter((result) => result.peer === peer && result.shape === shape);
  }

  #ratesOf({ shape, rounds = [] }: Result): readonly number[] {
    const steps = stepsOf(this.#tables.shapes[shape]!);
    return rounds.map((ms) => (steps / ms) * 1_000);
  }

  #rates(peer: string, shape: string): readonly number[] {
    return this.#of(peer, shape).flatMap((result) => this.#ratesOf(result));
  }

  /** Steps per second, the middle of all rounds; null where the peer cannot do the shape. */
  #rate(peer: string, shape: string): number | null {
    const rates = this.#rates(peer, shape);
    return rates.length === 0 ? null : median(rates);
  }

  /** As `peers/run.js` times a peer: set up, one small round, a checkpoint, timed rounds. Its worker runs all the while. */
  async #braid(shape: string): Promise<Result> {
    const load = this.#tables.shapes[shape]!;
    const warmUp = this.#tables.warmUpOf(load);
    const database = await newDatabase(this.#server);
    try {
      const rounds: number[] = [];
      await withChildren([{ url: database.url, concurrency: IN_FLIGHT }], async ([child]) => {
        await child!.ask("run", warmUp);
        await child!.ask("prepare", load);
        await settle(database);
        for (let spent = 0; spent < WITHIN_MS; spent += rounds.at(-1)!) {
          rounds.push(await child!.ask("run", load));
        }
      });
      return { peer: BRAID, shape, rounds };
    } finally {
      await database.close();
    }
  }

  async #peer(peer: string, shape: string): Promise<Result> {
    const limits = ["--rounds", `${MOST_ROUNDS}`, "--within", `${WITHIN_MS}`];
    const args = [`${folder}run.js`, peer, shape, "--url", this.#server.url(), ...limits];
    const child = spawn(process.execPath, args, { timeout: LIMIT_MS, stdio: ["ignore", "pipe", "pipe"] });
    const [output, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const line = output.split("\n").findLast((each) => each.startsWith("{"));
    if (line !== undefined) return JSON.parse(line) as Result;
    const reason = child.killed ? `not done within ${LIMIT_MS / 1_000} s` : `failed: ${problem.trim().split("\n")[0]}`;
    return { peer, shape, refused: reason };
  }

  table(entrants: readonly string[]): string {
    const shapes = Object.keys(this.#tables.shapes);
    const rows = entrants.map((peer) => {
      const version = this.#results.find((result) => result.peer === peer && result.version !== undefined)?.version;
      return [`${peer} ${version ?? ""}`.trim(), ...shapes.map((shape) => this.#cell(peer, shape))];
    });
    const refusals = this.#results.flatMap(({ peer, shape, refused }) =>
      refused === undefined ? [] : [`${peer}, ${shape}: ${refused}.`],
    );
    return [tableOf(["steps per second: middle (best) round", ...shapes], rows), ...refusals].join("\n");
  }

  #cell(peer: string, shape: string): string {
    const rate = this.#rate(peer, shape);
    if (rate === null) return "none";
    const best = Math.max(...this.#rates(peer, shape));
    return shape === "latency"
      ? `${(1_000 / rate).toFixed(2)} ms (${(1_000 / best).toFixed(2)})`
      : `${whole(rate)} (${whole(best)})`;
  }

  /** Braid against the best peer on PostgreSQL, against BullMQ on Redis, and against the floor. */
  measures(shape: string): readonly Measure[] {
    const rate = this.#rate(BRAID, shape)!;
    const best = [...ON_POSTGRES]
      .flatMap((peer) => {
        const other = this.#rate(peer, shape);
        return other === null ? [] : [{ peer, rate: other }];
      })
      .toSorted((a, b) => b.rate - a.rate)[0];
    const figure = shape === "latency" ? `${(1_000 / rate).toFixed(2)} ms a step` : `${whole(rate)} steps/s`;
    const against = (peer: string, other: number | null | undefined): Measure => ({
      name: `postgres, ${shape}, against ${peer}`,
      figure: other === null || other === undefined ? "not measured" : `${(rate / other).toFixed(2)} x ${peer}`,
      ratio: other === null || other === undefined ? null : rate / other,
    });
    return [
      { name: `postgres, ${shape}`, figure, ratio: null },
      {
        ...against("the best peer", best?.rate),
        ...(best === undefined ? {} : { figure: `${(rate / best.rate).toFixed(2)} x ${best.peer}` }),
      },
      against(ON_REDIS, this.#rate(ON_REDIS, shape)),
      against(FLOOR, this.#rate(FLOOR, shape)),
    ];
  }
}

function turnLine(rates: readonly number[]): string {
  const figures = `first ${whole(rates[0]!)}, middle ${whole(median(rates))}, best ${whole(Math.max(...rates))} steps/s`;
  return `${rates.length} rounds, ${figures}`;
}
