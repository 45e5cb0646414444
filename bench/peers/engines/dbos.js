// @ts-check
import { DBOS } from "@dbos-inc/dbos-sdk";
import { inFlight, runSteps } from "../flow.js";
import { versionOf } from "./engine.js";

/** @typedef {import("../shapes.js").Shape} Shape */

const POOL = 20;

export const refuses = () => null;

/**
 * DBOS Transact: workflows started directly, as its guide does (a queue adds a poll and a claim), and steps by `DBOS.runStep`.
 * Twice its default pool, because a hundred workflows share it.
 *
 * @param {string} url
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open(url) {
  let done = 0;
  const step = async () => {
    done += 1;
  };
  const workflow = DBOS.registerWorkflow(
    /** @param {Shape} shape */ (shape) => runSteps(shape, (name) => DBOS.runStep(step, { name })),
    { name: "bench" },
  );
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, systemDatabasePoolSize: POOL, logLevel: "error" });
  await DBOS.launch();
  return {
    version: versionOf("@dbos-inc/dbos-sdk"),
    settings: { systemDatabasePoolSize: POOL, start: "DBOS.startWorkflow, no queue" },
    run: async (shape) => {
      done = 0;
      await inFlight(shape.runs, async () => {
        const handle = await DBOS.startWorkflow(workflow)(shape);
        await handle.getResult();
      });
      return done;
    },
    close: () => DBOS.shutdown(),
  };
}
