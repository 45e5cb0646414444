// @ts-check
import { until } from "../flow.js";
import { IN_FLIGHT } from "../shapes.js";

/** @typedef {import("../shapes.js").Shape} Shape */
/** @typedef {import("bullmq").FlowJob} FlowJob */

const QUEUE = "bench";

/**
 * BullMQ on either store: flows added in bulk, one worker with a slot for each step in flight. A flow is a tree in which children run
 * before their parent, so a chain is a tree without branches, the diamond is the nearest tree (one branch of three has a step before it)
 * and the join of a fan-out is the root.
 *
 * @param {Pick<import("bullmq").BackendClasses<any, any>, "FlowProducer" | "Worker">} classes
 * @param {() => unknown} connection A connection of its own for each object, as the guide has it.
 */
export async function openFlows({ FlowProducer, Worker }, connection) {
  const producer = new FlowProducer({ connection: connection() });
  let done = 0;
  let completed = 0;
  /** @type {Error | undefined} */
  let failure;
  const worker = new Worker(
    QUEUE,
    async () => {
      done += 1;
      return null;
    },
    { connection: connection(), concurrency: IN_FLIGHT },
  );
  // The event comes after the store has accepted the result, so the last one is the end.
  worker.on("completed", () => {
    completed += 1;
  });
  worker.on("failed", (_, error) => {
    failure = error;
  });
  worker.on("error", () => {});
  await worker.waitUntilReady();
  await producer.waitUntilReady();
  return {
    /** @param {Shape} shape */
    run: async (shape) => {
      done = 0;
      completed = 0;
      await producer.addBulk(Array.from({ length: shape.runs }, () => treeOf(shape)));
      await until(() => {
        if (failure !== undefined) throw failure;
        return completed >= shape.steps;
      });
      return done;
    },
    close: async () => {
      await worker.close(true);
      await producer.close();
    },
  };
}

/**
 * @param {Shape} shape
 * @returns {FlowJob}
 */
function treeOf({ kind, size }) {
  if (kind === "diamond") return job("e", [job("b", [job("a")]), job("c"), job("d")]);
  if (kind === "fan-out") {
    return job(
      "join",
      Array.from({ length: size }, (_, index) => job(`s${index}`)),
    );
  }
  let tree = job("s0");
  for (let index = 1; index < size; index += 1) tree = job(`s${index}`, [tree]);
  return tree;
}

/**
 * @param {string} name
 * @param {FlowJob[]} [children]
 * @returns {FlowJob}
 */
const job = (name, children) => ({ name, queueName: QUEUE, ...(children && { children }) });
