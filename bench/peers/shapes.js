// @ts-check

/**
 * One load that every peer runs: `runs` runs of the same graph of steps that do nothing.
 *
 * @typedef {object} Shape
 * @property {"chain" | "diamond" | "fan-out"} kind
 * @property {number} runs
 * @property {number} size Steps of a chain, or branches of a fan-out.
 * @property {number} steps All steps of all runs, counted alike for every peer: a fan-out is its branches and one join.
 */

/** Runs at a time, or steps at a time where there is only one run. */
export const IN_FLIGHT = 100;

/** @type {Readonly<Record<string, Shape>>} */
export const SHAPES = {
  chain: shapeOf("chain", 200, 10),
  diamond: shapeOf("diamond", 400, 5),
  "fan-out-1000": shapeOf("fan-out", 1, 1_000),
  "fan-out-10000": shapeOf("fan-out", 1, 10_000),
  latency: shapeOf("chain", 1, 100),
};

/**
 * The small round that goes before the timed one: a tenth of it, and a lone chain once in full, because it is short.
 *
 * @param {Shape} shape
 * @returns {Shape}
 */
export function warmUpOf({ kind, runs, size }) {
  if (kind === "fan-out") return shapeOf(kind, runs, size / 10);
  return shapeOf(kind, Math.ceil(runs / 10), size);
}

/**
 * @param {Shape["kind"]} kind
 * @param {number} runs
 * @param {number} size
 * @returns {Shape}
 */
function shapeOf(kind, runs, size) {
  const perRun = kind === "chain" ? size : kind === "diamond" ? 5 : size + 1;
  return { kind, runs, size, steps: runs * perRun };
}
