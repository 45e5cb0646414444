// @ts-check
import { createPostgresBackend, runMigrations, withBackend } from "bullmq";
import { poolOf } from "../database.js";
import { openFlows } from "./bullmq.js";
import { versionOf } from "./engine.js";

const POOL = 10;

export const refuses = () => null;

/**
 * BullMQ on its PostgreSQL backend, with pools made here: from ES modules it cannot make its own.
 *
 * @param {string} url
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open(url) {
  /** @type {import("pg").Pool[]} */
  const pools = [];
  const connection = () => {
    const pool = poolOf(`${url}?options=-c%20search_path%3Dbullmq`, POOL);
    pools.push(pool);
    return pool;
  };
  const client = await poolOf(url, 1).connect();
  await runMigrations(client);
  client.release(true);
  const { run, close } = await openFlows(withBackend(createPostgresBackend), connection);
  return {
    version: versionOf("bullmq"),
    settings: { concurrency: 100, poolPerObject: POOL },
    run,
    close: async () => {
      await close();
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}
