// @ts-check
import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { PEERS } from "./peers.js";
import { SHAPES } from "./shapes.js";

/**
 * `node bench/peers/all.js --url postgres://… [--json] [peer …]`
 *
 * Every peer and shape, one after the other, each in a process of its own, and a table of steps per second (for the lone chain also
 * milliseconds per step). With `--json` the results are the output and the table goes to stderr.
 */
const LIMIT_MS = 120_000;
const program = fileURLToPath(new URL("run.js", import.meta.url));

/**
 * @typedef {object} Result
 * @property {string} peer
 * @property {string} shape
 * @property {number} load The machine's load average of the last minute before the round.
 * @property {string} [version]
 * @property {number} [stepsPerSecond]
 * @property {number} [msPerStep]
 * @property {string} [refused]
 */

/** @param {readonly string[]} args */
async function main(args) {
  const at = args.indexOf("--url");
  const url = at < 0 ? undefined : args[at + 1];
  const names = args.filter((arg, index) => !arg.startsWith("--") && (at < 0 || index !== at + 1));
  if (url === undefined || names.some((name) => !PEERS.includes(name))) {
    console.error(`Usage: node all.js --url postgres://… [--json] [peer …]. Peers: ${PEERS.join(", ")}.`);
    return 2;
  }
  /** @type {Result[]} */
  const results = [];
  for (const peer of names.length > 0 ? names : PEERS) {
    for (const shape of Object.keys(SHAPES)) {
      const result = await measure([peer, shape, "--url", url]);
      console.error(`${peer} ${shape}: ${result.refused ?? `${result.stepsPerSecond} steps/s`} (load ${result.load})`);
      results.push(result);
    }
  }
  const isJson = args.includes("--json");
  (isJson ? console.error : console.log)(tableOf(results));
  if (isJson) console.log(JSON.stringify(results, null, 2));
  return 0;
}

/**
 * @param {readonly [peer: string, shape: string, ...rest: string[]]} args
 * @returns {Promise<Result>}
 */
async function measure(args) {
  const [peer, shape] = args;
  const load = Number(loadavg()[0]?.toFixed(2));
  const child = spawn(process.execPath, [program, ...args], { timeout: LIMIT_MS, stdio: ["ignore", "pipe", "pipe"] });
  const [output, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const line = output.split("\n").findLast((each) => each.startsWith("{"));
  if (line !== undefined) return { ...JSON.parse(line), load };
  const reason = child.killed ? `not done within ${LIMIT_MS / 1_000} s` : `failed: ${problem.trim().split("\n")[0]}`;
  return { peer, shape, load, refused: reason };
}

/** @param {readonly Result[]} results */
function tableOf(results) {
  const shapes = Object.keys(SHAPES);
  /** @param {string} peer */
  const rowOf = (peer) => {
    const cells = results.filter((result) => result.peer === peer);
    const version = cells.find((cell) => cell.version !== undefined)?.version ?? "";
    return [`${peer} ${version}`.trim(), ...shapes.map((shape) => cellOf(cells.find((cell) => cell.shape === shape)))];
  };
  const lines = [...new Set(results.map(({ peer }) => peer))].map(rowOf);
  const reasons = results.flatMap(({ peer, shape, refused }) => (refused ? [`${peer}, ${shape}: ${refused}.`] : []));
  const table = [["steps per second", ...shapes], ["---", ...shapes.map(() => "---")], ...lines];
  return [...table.map((cells) => `| ${cells.join(" | ")} |`), "", ...reasons].join("\n").trim();
}

/** @param {Result | undefined} result */
function cellOf(result) {
  if (result?.stepsPerSecond === undefined) return "none";
  const rate = Math.round(result.stepsPerSecond).toLocaleString("en");
  return result.shape === "latency" ? `${result.msPerStep?.toFixed(2)} ms a step` : rate;
}

process.exitCode = await main(process.argv.slice(2));
