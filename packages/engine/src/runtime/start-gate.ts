import type { PlanStep } from "@braid/core";
import type { TaskKey } from "../store/port.ts";
import { evaluateName } from "./evaluate.ts";
import type { Evaluated } from "./evaluated.ts";
import type { RunView } from "./run-view.ts";
import { joinReads } from "./templates.ts";

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
 * Limits over runs that hold within one process: the `concurrency` of steps, by key, and `maxConcurrent` of step types.
 * A claimed task waits here, in the order of arrival, before it is said to have started; it keeps its lease meanwhile.
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

/** Limits that attempts of a step have to pass, with the key still as the plan has it; most have none. */
export function gatesOf(step: PlanStep, typeLimit: number | null): readonly GateLimit[] {
  const { concurrency, handler } = step.host;
  if (concurrency === null && typeLimit === null) return NO_GATES;
  const gates: GateLimit[] = [];
  // The type first, for all alike: two attempts never wait for each other.
  if (typeLimit !== null) gates.push({ name: `type ${handler}`, max: typeLimit });
  if (concurrency !== null) gates.push({ name: `key ${concurrency.key}`, max: concurrency.max });
  return gates;
}

const NO_GATES: readonly GateLimit[] = [];

/** The limits with the step's key evaluated for this task. */
export async function evaluateGates(
  gates: readonly GateLimit[],
  view: RunView,
  key: TaskKey,
): Promise<Evaluated<readonly GateLimit[]>> {
  const { concurrencyKey } = view.run.info.control(key.step);
  if (concurrencyKey === null) return { ok: true, value: gates };
  const sight = view.sight(key.step, key.task);
  const reads = joinReads([concurrencyKey]);
  const missing = view.reader.missing(view.keysOf(sight, reads));
  if (missing.length > 0) await view.reader.fill(missing);
  const name = evaluateName(concurrencyKey, { scope: view.scope(sight, { reads }) });
  if (!name.ok) return { ok: false, message: `\`concurrency.key\`: ${name.message}` };
  return {
    ok: true,
    value: gates.map((gate) => (gate.name.startsWith("key ") ? { ...gate, name: `key ${name.value}` } : gate)),
  };
}
