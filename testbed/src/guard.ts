import { spawn } from "node:child_process";
import { once } from "node:events";

/** Ends a program and removes its directory when this process is gone. */
export interface Guard {
  /** Names the process to end, or none. */
  readonly watch: (pid: number | undefined) => void;
  /** Ends the guard itself. The directory is removed if it is still there. */
  readonly release: () => Promise<void>;
}

/**
 * Reads process ids line by line, the last one counts, and acts at the end of its input: a quick stop first (to PostgreSQL
 * SIGQUIT means "immediate"), SIGCONT in case a test has paused the program, and SIGKILL for what is still there after three
 * seconds.
 */
const SCRIPT = `
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -QUIT "$pid" && kill -CONT "$pid"
  tries=0
  while [ "$tries" -lt 60 ] && kill -0 "$pid"; do sleep 0.05; tries=$((tries + 1)); done
  kill -KILL "$pid"
fi
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
`;

/**
 * A shell that waits on a pipe from this process. The pipe closes when this process ends in whatever way, also by `kill -9`, which
 * no handler of our own would see; and nobody else holds its other end. The guard is no member of our process group, so Ctrl-C
 * in a terminal, which goes to the whole group, does not end it together with us.
 */
export function startGuard(directory: string): Guard {
  const child = spawn("/bin/sh", ["-c", SCRIPT, "guard", directory], {
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const exited = once(child, "exit");
  child.unref();
  // Somebody has ended the guard before us: the test goes on, only without its net.
  child.stdin.on("error", () => undefined);
  // A pipe is a socket to Node; without this a forgotten server would keep its test alive.
  (child.stdin as unknown as { unref(): void }).unref();
  return {
    watch: (pid) => child.stdin.write(`${pid ?? ""}\n`),
    release: async () => {
      child.ref();
      child.stdin.end();
      await exited;
    },
  };
}
