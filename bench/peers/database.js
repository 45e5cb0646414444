// @ts-check
import { Client, Pool, escapeIdentifier } from "pg";

/**
 * Runs `use` with the URL of a new, empty database on the server and drops that database afterwards, also when the program is told to
 * stop: no peer meets another's tables, statistics or dead rows.
 *
 * @template T
 * @param {{ url: string, name: string }} options
 * @param {(url: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withDatabase({ url, name }, use) {
  const server = new Client({ connectionString: url });
  await server.connect();
  await server.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  const drop = async () => {
    await server.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
    await server.end();
  };
  process.once("SIGTERM", () => {
    void drop().finally(() => process.exit(143));
  });
  try {
    const own = new URL(url);
    own.pathname = `/${name}`;
    return await use(own.href);
  } finally {
    await drop();
  }
}

/**
 * Writes out what earlier work has left in the server's buffers, so that it is not paid for in the timed round.
 *
 * @param {string} url
 */
export async function settle(url) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
}

/**
 * A pool whose connections may be ended by the server at the end of a program without bringing the program down.
 *
 * @param {string} url
 * @param {number} max
 */
export function poolOf(url, max) {
  const pool = new Pool({ connectionString: url, max });
  pool.on("error", () => {});
  return pool;
}
