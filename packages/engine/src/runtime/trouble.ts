import type { Clock } from "./clock.ts";
import { messageOf } from "./errors.ts";

/** The same trouble is told once in this time, with how often it came meanwhile. */
const QUIET_MS = 10_000;

/** Tells people of trouble that the engine cures by itself, without flooding them. */
export function warnOfTrouble(clock: Clock, warn: (text: string) => void): (what: string, error: unknown) => void {
  const told = new Map<string, { at: number; missed: number }>();
  return (what, error) => {
    const now = clock.now();
    const last = told.get(what);
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.missed += 1;
      return;
    }
    const missed = last === undefined || last.missed === 0 ? "" : ` (${last.missed} more times since)`;
    if (told.size > 100) told.clear();
    told.set(what, { at: now, missed: 0 });
    warn(`Braid could not ${what}${missed}: ${messageOf(error)}`);
  };
}
