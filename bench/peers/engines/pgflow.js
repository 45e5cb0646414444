// @ts-check
import { randomUUID } from "node:crypto";
import { PgflowSqlClient } from "@pgflow/core";
import postgres from "postgres";
import { inFlight } from "../flow.js";
import { IN_FLIGHT } from "../shapes.js";
import { installPgflow } from "../supabase.js";

/** @typedef {import("../shapes.js").Shape} Shape */

const CONNECTIONS = 20;
/** What its worker uses unless told otherwise. */
const POLL = { visibilityTimeout: 5, maxPollSeconds: 2, pollIntervalMs: 100 };

export const refuses = () => null;

/**
 * pgflow's SQL core and its own client for it, driven as its edge worker does: read a batch of messages, start their tasks, run them,
 * complete each with one call, and read the next batch when all are done. The worker's defaults are batches of 10 on 4 connections;
 * here 100 are in flight on 20. A fan-out is a map step, pgflow's way to do it, with a step after it.
 *
 * @param {string} url
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open(url) {
  const sql = postgres(url, { max: CONNECTIONS, prepare: false, onnotice: () => {} });
  const version = await installPgflow(sql);
  const client = new PgflowSqlClient(sql);
  const worker = randomUUID();
  return {
    version,
    settings: { connections: CONNECTIONS, batchSize: IN_FLIGHT, ...POLL },
    prepare: async (shape) => {
      await define(sql, shape);
      await sql`
        INSERT INTO pgflow.workers (worker_id, queue_name, function_name) VALUES (${worker}, ${flowOf(shape)}, 'bench')
        ON CONFLICT (worker_id) DO UPDATE SET queue_name = excluded.queue_name`;
    },
    run: async (shape) => {
      const flow = flowOf(shape);
      /** @type {any} */
      const input = shape.kind === "fan-out" ? Array.from({ length: shape.size }, (_, index) => index) : {};
      await inFlight(shape.runs, () => client.startFlow(flow, input));
      return work({ client, flow, worker, steps: shape.steps });
    },
    close: () => sql.end(),
  };
}

/**
 * The loop of one worker, until all steps have run and the calls that complete them have returned. A second worker on the same two
 * cores gains nothing: the completions of a run wait for its row.
 *
 * @param {{ client: PgflowSqlClient<any>, flow: string, worker: string, steps: number }} options
 */
async function work({ client, flow, worker, steps }) {
  const { visibilityTimeout, maxPollSeconds, pollIntervalMs } = POLL;
  let done = 0;
  while (done < steps) {
    const messages = await client.readMessages(flow, visibilityTimeout, IN_FLIGHT, maxPollSeconds, pollIntervalMs);
    if (messages.length === 0) continue;
    const ids = messages.map((message) => message.msg_id);
    const tasks = await client.startTasks(flow, ids, worker);
    await Promise.all(tasks.map((task) => client.completeTask(task, /** @type {any} */ ({}))));
    done += tasks.length;
  }
  return done;
}

/**
 * @param {postgres.Sql} sql
 * @param {Shape} shape
 */
async function define(sql, shape) {
  const { kind, size } = shape;
  const flow = flowOf(shape);
  await sql`SELECT pgflow.create_flow(${flow})`;
  /** @type {(slug: string, after?: string[], type?: string) => Promise<unknown>} */
  const add = (slug, after = [], type = "single") =>
    sql`SELECT pgflow.add_step(flow_slug => ${flow}, step_slug => ${slug}, deps_slugs => ${after}::text[], step_type => ${type})`;
  if (kind === "diamond") {
    await add("a");
    for (const slug of ["b", "c", "d"]) await add(slug, ["a"]);
    await add("e", ["b", "c", "d"]);
  } else if (kind === "fan-out") {
    await add("items", [], "map");
    await add("join", ["items"]);
  } else {
    for (let index = 0; index < size; index += 1) await add(`s${index}`, index === 0 ? [] : [`s${index - 1}`]);
  }
}

/** @param {Shape} shape */
const flowOf = ({ kind, size }) => `${kind.replace("-", "_")}_${size}`;
