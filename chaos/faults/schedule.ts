import { SeededRandom } from "@braid/engine/testing";
import { faultKinds } from "./fault.ts";
import type { FaultKind, PlannedFault } from "./fault.ts";

/** How often each kind comes, in milliseconds. */
const everyMs: Readonly<Record<FaultKind, number>> = {
  F1: 10_000,
  F2: 20_000,
  F4: 60_000,
  F5: 60_000,
  F6: 5_000,
  F7: 15_000,
  F8: 60_000,
  F9: 15_000,
  F10: 30_000,
  F15: 20_000,
  F21: 30_000,
};

/** The faults of a run, in order of time: the same for the same seed and length. Every kind comes at least once. */
export function planFaults(seed: number, lengthMs: number): readonly PlannedFault[] {
  const random = new SeededRandom(seed);
  const planned = faultKinds.flatMap((kind) => {
    const own = random.fork();
    const every = Math.min(everyMs[kind], lengthMs);
    const faults: PlannedFault[] = [];
    for (let start = 0; start + every <= lengthMs; start += every) {
      // The last ones have time to hit before everything is healed.
      const at = start + own.next() * every * (start + 2 * every > lengthMs ? 0.7 : 1);
      faults.push({ kind, at: Math.round(at), seed: own.integer(1, 2 ** 31) });
    }
    return faults;
  });
  return planned.toSorted((a, b) => a.at - b.at);
}
