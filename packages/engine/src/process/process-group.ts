import { listProcesses, readProcessState } from "./process-state.ts";

/**
 * Sends a signal to all members of a process group; signal 0 only asks whether there are any.
 *
 * @returns false when there is nobody left whom the signal could reach.
 */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch {
    // ESRCH: the group is empty. EPERM: only zombies (macOS) or members of another user are left; nothing can be done.
    return false;
  }
}

/**
 * Whether a group still has a member that runs.
 *
 * A member whose parent is gone stays a zombie until process 1 takes note of it, which in a container without an init is
 * never; for `kill` it is a member all the same. Linux tells them apart, so there they do not count. The members found
 * are remembered: new ones can only come from them, so all of `/proc` is read again only when none of them runs.
 */
export class GroupMembers {
  readonly #groupId: number;
  #known: readonly number[] = [];

  constructor(groupId: number) {
    this.#groupId = groupId;
  }

  areRunning(): boolean {
    if (!signalGroup(this.#groupId, 0)) return false;
    if (process.platform !== "linux") return true;
    this.#known = this.#known.filter((pid) => this.#isRunning(pid));
    if (this.#known.length > 0) return true;
    const processes = listProcesses();
    // No `/proc`: then a zombie counts, which costs a stopped group its whole grace time and nothing else.
    if (processes === undefined) return true;
    this.#known = processes.filter((pid) => this.#isRunning(pid));
    return this.#known.length > 0;
  }

  #isRunning(pid: number): boolean {
    const state = readProcessState(pid);
    return state !== undefined && state.groupId === this.#groupId && !state.isZombie;
  }
}

/** The end of a process group: SIGTERM at once, SIGKILL when the grace time is over. */
export class GroupStop {
  readonly #groupId: number;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #killedAtMs: number | undefined;

  constructor(groupId: number, graceMs: number) {
    this.#groupId = groupId;
    this.#graceMs = graceMs;
  }

  /** Monotonic time of the SIGKILL, or undefined while the group still has its grace time. */
  get killedAtMs(): number | undefined {
    return this.#killedAtMs;
  }

  /** A second call changes nothing: the grace time runs from the first. */
  begin(): void {
    if (this.#timer !== undefined) return;
    signalGroup(this.#groupId, "SIGTERM");
    this.#timer = setTimeout(() => {
      signalGroup(this.#groupId, "SIGKILL");
      this.#killedAtMs = performance.now();
    }, this.#graceMs);
  }

  /** Takes back a SIGKILL that is still to come, once the group is empty. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
