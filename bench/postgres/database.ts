import { setTimeout as sleep } from "node:timers/promises";
import { PostgresServer } from "@braid/testbed";
import { Client } from "pg";

/** The server that every figure is taken on. Without settings: PostgreSQL's own defaults, every commit waits for the disk. */
const SERVER_VERSION = 15;

/** A database for one measurement, and a connection to look at it from outside. */
export interface Database {
  readonly url: string;
  rows<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** The only value of a statement. */
  value<Value>(text: string, values?: readonly unknown[]): Promise<Value>;
  close(): Promise<void>;
}

/** Runs `use` with a new server, and ends that whatever comes. */
export async function withServer<Value>(use: (server: PostgresServer) => Promise<Value>): Promise<Value> {
  const server = await PostgresServer.start(SERVER_VERSION);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

let created = 0;

/** A new, empty database: no measurement meets the tables, statistics or dead rows of another. */
export async function newDatabase(server: PostgresServer): Promise<Database> {
  created += 1;
  const url = await server.createDatabase(`bench_${created}`);
  const client = new Client({ connectionString: url, application_name: "bench" });
  await client.connect();
  const rows = async <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await client.query<Row & object>(text, [...values])).rows;
  return {
    url,
    rows,
    async value<Value>(text: string, values: readonly unknown[] = []) {
      const [row] = await rows<Record<string, Value>>(text, values);
      return Object.values(row ?? {})[0] as Value;
    },
    close: () => client.end(),
  };
}

/** Writes out what earlier work has left in the server's buffers, so that it is not paid for in what is timed. */
export async function settle(database: Database): Promise<void> {
  await database.rows("CHECKPOINT");
}

/** Waits until every run has ended; asked for only when the last function has returned, so the end is known to a millisecond. */
export async function untilAllEnded(database: Database): Promise<void> {
  const isDone = (): Promise<boolean> =>
    database.value("SELECT NOT EXISTS (SELECT 1 FROM braid.runs WHERE finished_at IS NULL)");
  while (!(await isDone())) await sleep(1);
}
