// @ts-check
import { execFileSync } from "node:child_process";
import { createRedisBackend, withBackend } from "bullmq";
import { freePort, startServer } from "../server.js";
import { openFlows } from "./bullmq.js";
import { versionOf } from "./engine.js";

export const refuses = () => null;

/**
 * BullMQ on a Redis server of our own with that server's defaults: snapshots now and then, no append-only file, so the last minutes can
 * be lost. It says what a queue costs that does not wait for the disk. The PostgreSQL server is not used.
 *
 * @returns {Promise<import("./engine.js").Engine>}
 */
export async function open() {
  const port = await freePort();
  const server = await startServer({
    command: "redis-server",
    args: (directory) => ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory],
    port,
  });
  const connection = () => ({ host: "127.0.0.1", port, maxRetriesPerRequest: null });
  const { run, close } = await openFlows(withBackend(createRedisBackend), connection);
  const redis = /v=([\d.]+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1];
  return {
    version: versionOf("bullmq"),
    settings: { concurrency: 100, redis, durable: false },
    run,
    close: async () => {
      await close();
      server.stop();
    },
  };
}
