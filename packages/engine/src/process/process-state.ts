import { readdirSync, readFileSync } from "node:fs";

/** What Linux says of a process. A zombie has ended, but its parent has not taken note of it yet. */
export interface ProcessState {
  readonly groupId: number;
  readonly isZombie: boolean;
}

/** Reads `/proc`; undefined when the process has ended, or where there is no `/proc`. */
export function readProcessState(pid: number): ProcessState | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // `pid (name) state parent group …`; the name may hold anything, so the fields are counted from its last bracket.
  const [state, , group] = line.slice(line.lastIndexOf(")") + 2).split(" ", 3);
  return { groupId: Number(group), isZombie: state === "Z" || state === "X" };
}

/** Ids of all processes, or undefined where there is no `/proc`. */
export function listProcesses(): readonly number[] | undefined {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return undefined;
  }
}
