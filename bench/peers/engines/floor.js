// @ts-check
import { randomUUID } from "node:crypto";
import { poolOf } from "../database.js";

/** @typedef {import("../shapes.js").Shape} Shape */

const RUNS_PER_BATCH = 128;
/** Rows of one run and commit: what can be in flight of it. */
const STEPS_PER_COMMIT = 100;
const CONNECTIONS = 2;

/** The columns that every step writes, and the index that claims and sweeps would need. */
const TABLES = `
  CREATE TABLE runs (
    id uuid PRIMARY KEY, workflow text NOT NULL, status text NOT NULL, version int NOT NULL, trace_seq int NOT NULL,
    counters jsonb NOT NULL, last_at timestamptz NOT NULL, last_commit_id uuid) WITH (fillfactor = 70);
  CREATE TABLE steps (
    run_id uuid NOT NULL, step_index int NOT NULL, task_index int NOT NULL, status text NOT NULL, attempt int NOT NULL, worker text,
    lease_token uuid, output jsonb, settled_seq int, fired_seq int, started_at timestamptz, completed_at timestamptz, version int NOT NULL,
    PRIMARY KEY (run_id, step_index, task_index)) WITH (fillfactor = 70);
  CREATE INDEX steps_leased ON steps (worker) WHERE status IN ('ready', 'running');
  CREATE TABLE trace_events (
    run_id uuid NOT NULL, first_seq int NOT NULL, last_seq int NOT NULL, at timestamptz NOT NULL, events jsonb NOT NULL,
    PRIMARY KEY (run_id, first_seq));`;

const INSERT_RUNS = {
  name: "insert-runs",
  text: `INSERT INTO runs SELECT id, 'bench', 'running', 0, 0, '{}', now(), NULL FROM unnest($1::uuid[]) AS new (id)`,
};

const COMMIT = {
  name: "commit",
  text: `
    WITH advance AS (
      SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $7::jsonb[]) AS item (id, version, count, events)
    ), guard AS (
      UPDATE runs SET version = runs.version + 1, trace_seq = trace_seq + count, last_at = now(), last_commit_id = $6,
        counters = '{"completed":1}'
      FROM advance WHERE runs.id = advance.id AND runs.version = advance.version
      RETURNING runs.id, runs.trace_seq, advance.count, advance.events
    ), written AS (
      INSERT INTO steps
      SELECT id, step, -1, 'completed', 1, 'worker', $6, 'null', 1, 1, now(), now(), 1
      FROM unnest($4::uuid[], $5::int[]) AS item (run, step) JOIN guard ON guard.id = item.run
      ON CONFLICT (run_id, step_index, task_index) DO UPDATE SET status = excluded.status, version = excluded.version
      RETURNING 1
    ), traced AS (
      INSERT INTO trace_events
      SELECT id, trace_seq - count + 1, trace_seq, now(), events FROM guard
    )
    SELECT count(*)::int AS written FROM written`,
};

export const refuses = () => null;

/**
 * No engine: the bound that the database sets. It knows the order of the steps beforehand and only writes their rows, one statement per
 * batch of runs: one update of each run, one row per step, one row of trace per run and commit. It decides, claims and reads nothing.
 *
 * @param {string} url
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open(url) {
  const pool = poolOf(url, CONNECTIONS);
  await pool.query(TABLES);
  return {
    version: "",
    settings: { runsPerBatch: RUNS_PER_BATCH, stepsPerCommit: STEPS_PER_COMMIT, connections: CONNECTIONS },
    run: async (shape) => {
      const ids = Array.from({ length: shape.runs }, runId);
      const batches = Array.from({ length: Math.ceil(ids.length / RUNS_PER_BATCH) }, (_, index) =>
        ids.slice(index * RUNS_PER_BATCH, (index + 1) * RUNS_PER_BATCH),
      );
      const written = await Promise.all(batches.map((batch) => write(pool, { batch, levels: levelsOf(shape) })));
      return written.reduce((sum, count) => sum + count, 0);
    },
    close: () => pool.end(),
  };
}

/**
 * @param {import("pg").Pool} pool
 * @param {{ batch: readonly string[], levels: readonly (readonly number[])[] }} options
 */
async function write(pool, { batch, levels }) {
  await pool.query({ ...INSERT_RUNS, values: [batch] });
  let written = 0;
  for (const [version, steps] of levels.entries()) {
    const events = JSON.stringify(steps.map((step) => ({ type: "step.completed", step, attempt: 1 })));
    const { rows } = await pool.query({
      ...COMMIT,
      values: [
        batch,
        batch.map(() => version),
        batch.map(() => steps.length),
        batch.flatMap((id) => steps.map(() => id)),
        batch.flatMap(() => steps),
        randomUUID(),
        batch.map(() => events),
      ],
    });
    written += rows[0].written;
  }
  return written;
}

/** A version 7 identifier, as runs have them: new rows go to the end of each index. */
function runId() {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/**
 * The steps of a run in the groups that can be committed together.
 *
 * @param {Shape} shape
 * @returns {number[][]}
 */
function levelsOf({ kind, size }) {
  if (kind === "diamond") return [[0], [1, 2, 3], [4]];
  const steps = Array.from({ length: size }, (_, index) => index);
  if (kind === "chain") return steps.map((step) => [step]);
  const groups = Array.from({ length: Math.ceil(size / STEPS_PER_COMMIT) }, (_, index) =>
    steps.slice(index * STEPS_PER_COMMIT, (index + 1) * STEPS_PER_COMMIT),
  );
  return [...groups, [size]];
}
