// @ts-check
import { OpenWorkflow } from "openworkflow";
import { BackendPostgres } from "openworkflow/postgres";
import { poolOf } from "../database.js";
import { runSteps, until } from "../flow.js";
import { IN_FLIGHT } from "../shapes.js";
import { versionOf } from "./engine.js";

/** @typedef {import("../shapes.js").Shape} Shape */

/** `WORKFLOW_STEP_LIMIT` of the package; there is no option for it. */
const STEP_LIMIT = 1_000;

/** @param {Shape} shape */
export function refuses({ runs, steps }) {
  const perRun = steps / runs;
  return perRun > STEP_LIMIT ? `a run may have ${STEP_LIMIT} steps, this one has ${perRun}` : null;
}

/**
 * OpenWorkflow: one worker with a slot for each run in flight (a slot without a run costs a claim at every poll, so no more than that) and
 * the pool that `connect` makes. The worker is started after the submission: one that has idled sleeps up to a second between polls.
 *
 * @param {string} url
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open(url) {
  const backend = await BackendPostgres.connect(url);
  const pool = poolOf(url, 1);
  const client = new OpenWorkflow({ backend });
  /** Stopping waits for the poll in progress, which is not part of the work. @type {Promise<void>} */
  let stopping = Promise.resolve();
  let done = 0;
  let returned = 0;
  const workflow = client.defineWorkflow({ name: "bench" }, async ({ input, step }) => {
    const shape = /** @type {Shape} */ (input);
    await runSteps(shape, (name) =>
      step.run({ name }, () => {
        done += 1;
        return null;
      }),
    );
    returned += 1;
    return null;
  });
  const unfinished = async () => {
    const { rows } = await pool.query(
      "SELECT count(*)::int AS rest FROM openworkflow.workflow_runs WHERE status <> 'completed'",
    );
    return rows[0].rest;
  };
  return {
    version: versionOf("openworkflow"),
    settings: { workerConcurrency: `runs in flight (at most ${IN_FLIGHT})`, pool: 10 },
    run: async (shape) => {
      done = 0;
      returned = 0;
      await Promise.all(Array.from({ length: shape.runs }, () => workflow.run(shape)));
      const worker = client.newWorker({ concurrency: Math.min(IN_FLIGHT, shape.runs) });
      await worker.start();
      await until(() => returned >= shape.runs);
      await until(async () => (await unfinished()) === 0);
      stopping = worker.stop();
      return done;
    },
    close: async () => {
      await stopping;
      await pool.end();
      await backend.stop();
    },
  };
}
