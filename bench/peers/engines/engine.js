// @ts-check
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @typedef {import("../shapes.js").Shape} Shape */

/**
 * A peer that is set up and ready to be timed.
 *
 * @typedef {object} Engine
 * @property {string} version
 * @property {Readonly<Record<string, unknown>>} settings What differs from the peer's defaults, and why it matters.
 * @property {(shape: Shape) => Promise<void>} [prepare] What a deployment does once, such as storing definitions; not timed.
 * @property {(shape: Shape) => Promise<number>} run From the first submission to the end of the last run; resolves to the number of steps run.
 * @property {() => Promise<void>} close
 */

/**
 * What every file of this folder exports.
 *
 * @typedef {object} Peer
 * @property {(shape: Shape) => string | null} refuses Why the peer cannot do the shape, or null.
 * @property {() => string | null} [otherNode] The Node to run under where this one is too old, or null.
 * @property {(url: string) => Promise<Engine>} open
 */

/**
 * The version of an installed package.
 *
 * @param {string} name
 * @returns {string}
 */
export function versionOf(name) {
  const manifest = fileURLToPath(new URL(`../node_modules/${name}/package.json`, import.meta.url));
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
