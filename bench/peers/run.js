// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { settle, withDatabase } from "./database.js";
import { PEERS } from "./peers.js";
import { SHAPES, warmUpOf } from "./shapes.js";

/**
 * `node bench/peers/run.js <peer> <shape> --url postgres://… [--rounds n] [--within ms]`
 *
 * One peer, one shape: set up, one small round, timed rounds, one line of JSON, whose figures are those of the middle round. There are as
 * many rounds as asked for (1 unless told otherwise), but none is begun after so many milliseconds (10,000) of rounds. Where the peer cannot do the shape the line has
 * `refused` in place of figures, the reason goes to stderr as well, and the exit code is 1.
 *
 * @param {readonly string[]} args
 */
async function main(args) {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { url: { type: "string" }, rounds: { type: "string" }, within: { type: "string" } },
    allowPositionals: true,
  });
  const { url } = values;
  const [name = "", shapeName = ""] = positionals;
  const shape = SHAPES[shapeName];
  if (!PEERS.includes(name) || shape === undefined || url === undefined) {
    console.error("Usage: node run.js <peer> <shape> --url postgres://… [--rounds n] [--within ms]");
    console.error(`Peers: ${PEERS.join(", ")}. Shapes: ${Object.keys(SHAPES).join(", ")}.`);
    return 2;
  }
  /** @type {import("./engines/engine.js").Peer} */
  const peer = await import(`./engines/${name}.js`);
  const refused = peer.refuses(shape);
  if (refused !== null) {
    console.error(`${name} cannot run ${shapeName}: ${refused}.`);
    console.log(JSON.stringify({ peer: name, shape: shapeName, refused }));
    return 1;
  }
  const otherNode = peer.otherNode?.() ?? null;
  if (otherNode !== null) return runUnder(otherNode);
  const result = await withDatabase({ url, name: `bench_${name.replace("-", "_")}_${process.pid}` }, (own) =>
    measure(peer, { shape, url: own, rounds: Number(values.rounds ?? 1), withinMs: Number(values.within ?? 10_000) }),
  );
  console.log(JSON.stringify({ peer: name, shape: shapeName, ...result }));
  return 0;
}

/**
 * This program again, under another Node.
 *
 * @param {string} node
 * @returns {Promise<number>}
 */
async function runUnder(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code] = await once(child, "exit");
  return code ?? 1;
}

/**
 * @param {import("./engines/engine.js").Peer} peer
 * @param {{ shape: import("./shapes.js").Shape, url: string, rounds: number, withinMs: number }} options
 */
async function measure(peer, { shape, url, rounds, withinMs }) {
  const engine = await peer.open(url);
  try {
    const warmUp = warmUpOf(shape);
    await engine.prepare?.(warmUp);
    await engine.run(warmUp);
    await engine.prepare?.(shape);
    await settle(url);
    /** @type {number[]} */
    const times = [];
    for (let spent = 0; times.length < rounds && spent < withinMs; spent += times.at(-1) ?? 0) {
      const start = performance.now();
      const done = await engine.run(shape);
      times.push(performance.now() - start);
      if (done !== shape.steps) throw new Error(`${done} steps ran where ${shape.steps} were asked for`);
    }
    const ms = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
    return {
      version: engine.version,
      steps: shape.steps,
      ms: round(ms),
      rounds: times.map(round),
      stepsPerSecond: round((shape.steps / ms) * 1_000),
      msPerStep: round(ms / shape.steps),
      settings: engine.settings,
    };
  } finally {
    await engine.close();
  }
}

/** @param {number} value */
const round = (value) => Number(value.toPrecision(4));

// What a peer's driver will drop one day is not this program's news.
process.noDeprecation = true;
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // The driver's refusal to connect is an aggregate without a text of its own.
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  console.error(`${process.argv.slice(2, 4).join(" ")} failed: ${cause?.message ?? cause}`);
  console.error(cause?.stack);
  process.exitCode = 1;
}
// A peer's timers and idle connections must not keep the program alive after its line is out.
process.exit();
