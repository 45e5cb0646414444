// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { settle, withDatabase } from "./database.js";
import { PEERS } from "./peers.js";
import { SHAPES, warmUpOf } from "./shapes.js";

/**
 * `node bench/peers/run.js <peer> <shape> --url postgres://…`
 *
 * One peer, one shape: set up, one small round, one timed round, one line of JSON. Where the peer cannot do the shape the line has
 * `refused` in place of figures, the reason goes to stderr as well, and the exit code is 1.
 *
 * @param {readonly string[]} args
 */
async function main(args) {
  const at = args.indexOf("--url");
  const url = at < 0 ? undefined : args[at + 1];
  const [name = "", shapeName = ""] = args.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  const shape = SHAPES[shapeName];
  if (!PEERS.includes(name) || shape === undefined || url === undefined) {
    console.error("Usage: node run.js <peer> <shape> --url postgres://…");
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
    measure(peer, { shape, url: own }),
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
 * @param {{ shape: import("./shapes.js").Shape, url: string }} options
 */
async function measure(peer, { shape, url }) {
  const engine = await peer.open(url);
  try {
    const warmUp = warmUpOf(shape);
    await engine.prepare?.(warmUp);
    await engine.run(warmUp);
    await engine.prepare?.(shape);
    await settle(url);
    const start = performance.now();
    const done = await engine.run(shape);
    const ms = performance.now() - start;
    if (done !== shape.steps) throw new Error(`${done} steps ran where ${shape.steps} were asked for`);
    return {
      version: engine.version,
      steps: shape.steps,
      ms: round(ms),
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
