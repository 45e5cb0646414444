// @ts-check
import { readFileSync } from "node:fs";
import { Absurd } from "absurd-sdk";
import { poolOf } from "../database.js";
import { runSteps, until } from "../flow.js";
import { IN_FLIGHT } from "../shapes.js";
import { versionOf } from "./engine.js";

/** @typedef {import("../shapes.js").Shape} Shape */

const POOL = 10;

/** absurd's npm package has no SQL in it: whoever runs this names a copy of the project's `sql/absurd.sql`. */
const schemaFile = process.env["BRAID_ABSURD_SQL"];

export const refuses = () =>
  schemaFile === undefined
    ? "its schema is not in its npm package: set BRAID_ABSURD_SQL to its `sql/absurd.sql`"
    : null;

/**
 * absurd: one worker with a slot for each run in flight, which also is the size of its claims; a pool of 10.
 * The worker is started after the submission, because an idle one sleeps 250 ms between polls.
 *
 * @param {string} url
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open(url) {
  const pool = poolOf(url, POOL);
  await pool.query(readFileSync(/** @type {string} */ (schemaFile), "utf8"));
  const { rows } = await pool.query("SELECT absurd.get_schema_version() AS version");
  const app = new Absurd({ db: pool, queueName: "bench" });
  await app.createQueue();
  /** Stopping waits for the poll in progress, which is not part of the work. @type {Promise<void>} */
  let stopping = Promise.resolve();
  let done = 0;
  let returned = 0;
  app.registerTask({ name: "bench" }, async (shape, context) => {
    await runSteps(/** @type {Shape} */ (shape), (name) =>
      context.step(name, async () => {
        done += 1;
        return null;
      }),
    );
    returned += 1;
    return null;
  });
  const unfinished = async () => {
    const left = await pool.query("SELECT count(*)::int AS rest FROM absurd.t_bench WHERE state <> 'completed'");
    return left.rows[0].rest;
  };
  return {
    version: versionOf("absurd-sdk"),
    settings: { concurrency: `runs in flight (at most ${IN_FLIGHT})`, pool: POOL, schema: rows[0].version },
    run: async (shape) => {
      done = 0;
      returned = 0;
      await Promise.all(Array.from({ length: shape.runs }, () => app.spawn("bench", shape)));
      const worker = await app.startWorker({ concurrency: Math.min(IN_FLIGHT, shape.runs) });
      await until(() => returned >= shape.runs);
      await until(async () => (await unfinished()) === 0);
      stopping = worker.close();
      return done;
    },
    close: async () => {
      await stopping;
      await app.close();
      await pool.end();
    },
  };
}
