import { isBraidError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import { sleep } from "./clock.ts";
import { EngineError, messageOf } from "./errors.ts";
import type { Random } from "./ids.ts";

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2_000;

/** What waiting cannot cure. */
const HOPELESS: ReadonlySet<string> = new Set([
  "store_closed",
  "store_corrupt",
  "store_not_a_store",
  "store_too_new",
  "store_read_only",
  "store_cannot_open",
  "store_driver_missing",
  "store_unsupported",
  "store_not_storable",
]);

/** How a call that must not be given up easily is repeated. */
export interface Persistence {
  readonly clock: Clock;
  readonly random: Random;
  /** Time after which a store that does not answer is a fault of the engine. */
  readonly patienceMs: number;
  /** Told of each failed try. */
  readonly onRetry?: (error: unknown) => void;
}

/**
 * Makes a call of the store until it answers. An exception says nothing about whether the call was carried out, so only
 * calls that may be repeated belong here: a commit with the same id gives its first answer again. Pauses grow, with
 * full jitter; what no waiting cures, and a store that stays away for too long, is a fault of the engine.
 */
export async function persist<Answer>(
  what: string,
  call: () => Promise<Answer>,
  options: Persistence,
): Promise<Answer> {
  const { clock, random, patienceMs, onRetry } = options;
  const until = clock.now() + patienceMs;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof EngineError) throw error;
      const isHopeless = isBraidError(error) && HOPELESS.has(error.code);
      if (isHopeless || clock.now() >= until) {
        throw new EngineError("engine_fault", `The store did not ${what}: ${messageOf(error)}`, { cause: error });
      }
      onRetry?.(error);
    }
    await sleep(clock, pause * (0.5 + random.next() / 2));
    pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
  }
}
