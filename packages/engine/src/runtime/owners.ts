import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { execFile } from "node:child_process";
import type { WorkerRecord } from "../store/records.ts";

/** Clock ticks a second of `/proc`; it is 100 on every Linux that Node runs on. */
const TICKS = 100;

/** What two readings of one process's start may differ by: `ps` shows whole seconds, and the boot time is rounded. */
const TOLERANCE_MS = 2_500;

/**
 * Where process ids mean what they mean here: the host and, on Linux, the namespace of process ids. Two containers may
 * share a host name and a volume; each would take the other's workers for dead.
 */
export function processHost(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/** When this process started, milliseconds since 1970. */
export function ownStart(): number {
  return readProcStart(process.pid) ?? Math.round(Date.now() - process.uptime() * 1_000);
}

/** Ids of the workers among these whose process on this host is gone, or is another one with the same number. */
export async function findDeadWorkers(workers: readonly WorkerRecord[]): Promise<readonly string[]> {
  const host = processHost();
  const dead: string[] = [];
  for (const worker of workers) {
    if (worker.host === host && worker.pid !== process.pid && !(await isAlive(worker))) dead.push(worker.id);
  }
  return dead;
}

async function isAlive({ pid, startedAt }: WorkerRecord): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const start = readProcStart(pid) ?? (await askStart(pid));
  return start === null || Math.abs(start - startedAt) <= TOLERANCE_MS;
}

/** Start of a process by `/proc`; undefined where there is none. A zombie has ended: it counts as gone. */
function readProcStart(pid: number): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    // `pid (name) state …`; the name may hold anything, so fields are counted from its last bracket.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return 0;
    const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"));
    const ticks = Number(fields[19]);
    if (boot === null || !Number.isFinite(ticks)) return undefined;
    return Math.round(Number(boot[1]) * 1_000 + (ticks / TICKS) * 1_000);
  } catch {
    return undefined;
  }
}

/** Start of a process by `ps`; null if it cannot be told, which means: taken for alive. */
function askStart(pid: number): Promise<number | null> {
  return new Promise((resolve) => {
    const options = { timeout: 2_000, env: { ...process.env, LC_ALL: "C", TZ: "UTC" } };
    execFile("ps", ["-o", "lstart=", "-p", String(pid)], options, (error, stdout) => {
      const at = error === null ? Date.parse(`${stdout.trim()} UTC`) : Number.NaN;
      resolve(Number.isNaN(at) ? null : at);
    });
  });
}
