// @ts-check
import { IN_FLIGHT } from "./shapes.js";

/** @typedef {import("./shapes.js").Shape} Shape */

/**
 * The steps of one run, for peers whose workflows are code. Steps are started in the same order each time, as replay demands.
 *
 * @param {Shape} shape
 * @param {(name: string) => Promise<unknown>} step Makes one durable step.
 */
export async function runSteps({ kind, size }, step) {
  if (kind === "chain") {
    for (let index = 0; index < size; index += 1) await step(`s${index}`);
  } else if (kind === "diamond") {
    await step("a");
    await Promise.all([step("b"), step("c"), step("d")]);
    await step("e");
  } else {
    await inFlight(size, (index) => step(`s${index}`));
    await step("join");
  }
}

/**
 * Calls `work` for 0 … `count` - 1, in that order, `IN_FLIGHT` at a time.
 *
 * @param {number} count
 * @param {(index: number) => PromiseLike<unknown>} work
 */
export async function inFlight(count, work) {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count) }, lane));
}

/**
 * Waits until `check` holds. Programs call it only when the last function has returned, so the questions cost the measured work nothing
 * and the end is known to a millisecond, where a peer's own waiting would sleep for up to a second.
 *
 * @param {() => boolean | Promise<boolean>} check
 */
export async function until(check) {
  while (!(await check())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}
