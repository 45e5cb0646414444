import { readdirSync, readFileSync } from "node:fs";

/**
 * Whether anything of a process group still runs. The program of a step leads a group of its own, so its process id names
 * all that it started. A zombie does not run: where nobody collects orphans, as in many containers, it stays for ever.
 */
export function hasRunningMembers(groupId: number): boolean {
  try {
    process.kill(-groupId, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => isRunningIn(pid, groupId));
}

function isRunningIn(pid: string, groupId: number): boolean {
  try {
    // The fields after the name in parentheses: state, parent, group.
    const [state, , group] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return Number(group) === groupId && state !== "Z" && state !== "X";
  } catch {
    // It ended between the listing and the reading.
    return false;
  }
}
