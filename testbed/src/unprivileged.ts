import { existsSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";

/** The user that a server runs as, in the shape that `child_process` and `chown` take. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL and pgbouncer refuse to run as root, and containers run tests as root. Then they run as `nobody`; otherwise as who
 * we are, which is `undefined` here. The user has to be a known one: `initdb` looks its name up.
 */
export function unprivilegedIdentity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = existsSync("/etc/passwd") ? readFileSync("/etc/passwd", "utf8") : "";
  const nobody = /^nobody:[^:]*:(?<uid>-?\d+):(?<gid>-?\d+):/mu.exec(users)?.groups;
  if (nobody === undefined)
    throw new Error("Running as root, and `/etc/passwd` has no user `nobody` for the servers to run as.");
  return { uid: Number(nobody["uid"]), gid: Number(nobody["gid"]) };
}

/**
 * Where temporary directories of servers go: the system's own place, unless the user that a server runs as could not reach it
 * (`TMPDIR` inside the home directory of root).
 */
export function temporaryRoot(): string {
  const preferred = resolve(tmpdir());
  return unprivilegedIdentity() === undefined || isReachableByAll(preferred) ? preferred : "/tmp";
}

function isReachableByAll(path: string): boolean {
  const isOpen = (statSync(path).mode & 0o001) !== 0;
  const parent = dirname(path);
  return isOpen && (parent === path || isReachableByAll(parent));
}
