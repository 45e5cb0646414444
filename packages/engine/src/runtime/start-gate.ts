import type { PlanStep } from "@braid/core";

interface Gate {
  active: number;
  readonly waiting: (() => void)[];
}

/** One limit that an attempt has to pass: at most `max` at a time under that name. */
export interface GateLimit {
  readonly name: string;
  readonly max: number;
}

/**
 * Limits over runs that hold within one process: the `concurrency` of steps, by key, and `maxConcurrent` of step types. A
 * claimed task waits here, in the order of arrival, before it is said to have started; it keeps its lease meanwhile.
 */
export class StartGates {
  readonly #gates = new Map<string, Gate>();

  /** Resolves once there is room, with the function that gives the room back. */
  async enter({ name, max }: GateLimit): Promise<() => void> {
    let gate = this.#gates.get(name);
    if (gate === undefined) {
      gate = { active: 0, waiting: [] };
      this.#gates.set(name, gate);
    }
    if (gate.active < max) gate.active += 1;
    else await new Promise<void>((resolve) => gate.waiting.push(resolve));
    let isInside = true;
    return () => {
      if (isInside) this.#leave(name, gate);
      isInside = false;
    };
  }

  /** Whoever has waited longest takes over the room. */
  #leave(name: string, gate: Gate): void {
    const next = gate.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    gate.active -= 1;
    if (gate.active === 0) this.#gates.delete(name);
  }
}

/** Whether attempts of the step have to pass a gate; then they are never started by the commit that queues them. */
export const isGated = (step: PlanStep, typeLimit: number | null): boolean =>
  step.host.concurrency !== null || typeLimit !== null;
