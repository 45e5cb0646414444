// Watches everything: the compiler keeps `dist` fresh and checks types, vitest reruns the unit tests that a change touches.
import { spawn } from "node:child_process";

const watchers = [
  ["tsc", "--build", "--watch", "--preserveWatchOutput"],
  ["vitest", "watch", "--project", "unit", "--clearScreen", "false"],
].map(([command = "", ...args]) => spawn(command, args, { stdio: "inherit", shell: process.platform === "win32" }));

/** @param {number} code */
function stop(code) {
  for (const watcher of watchers) watcher.kill();
  process.exitCode ??= code;
}

// A watcher that ends takes the other one with it: half of a watch mode would look like a quiet, healthy one.
for (const watcher of watchers) watcher.on("exit", (code) => stop(code ?? 0));
process.on("SIGINT", () => stop(0));
process.on("SIGTERM", () => stop(0));
