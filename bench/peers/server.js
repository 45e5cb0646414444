// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Starts a peer's own server with its data in a temporary directory, and ends it with this program, whatever ends that.
 *
 * @param {object} options
 * @param {string} options.command
 * @param {(directory: string) => string[]} options.args
 * @param {number} options.port Where it listens on the loopback interface, once it is up.
 * @param {NodeJS.ProcessEnv} [options.env]
 */
export async function startServer({ command, args, port, env = process.env }) {
  const directory = mkdtempSync(join(tmpdir(), "bench-server-"));
  const server = spawn(command, args(directory), { stdio: "ignore", env });
  const stop = () => {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  };
  process.once("exit", stop);
  const failed = Promise.race([
    once(server, "error").then(([cause]) =>
      Promise.reject(new Error(`\`${command}\` could not be started`, { cause })),
    ),
    once(server, "exit").then(([code]) => Promise.reject(new Error(`\`${command}\` ended with code ${code}`))),
  ]);
  failed.catch(() => {});
  await Promise.race([isListening(port), failed]);
  return { stop };
}

/** @param {number} port */
async function isListening(port) {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isUp = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** @returns {Promise<number>} */
export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}
