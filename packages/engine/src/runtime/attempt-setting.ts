import type { LogLine } from "../store/records.ts";
import type { Clock } from "./clock.ts";
import type { HandlerRegistry } from "./registry.ts";
import type { SecretReader } from "./secrets.ts";
import type { ValueCache } from "./value-cache.ts";

/** What attempts need of the engine. */
export interface AttemptContext {
  readonly clock: Clock;
  readonly registry: HandlerRegistry;
  readonly values: ValueCache;
  readonly secrets: SecretReader;
  readonly services: Readonly<Record<string, unknown>>;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly maxPayloadBytes: number;
  /** How long code that was told to stop may take, milliseconds. */
  readonly graceMs: number;
  now(): number;
  log(line: LogLine): void;
  /** The attempt has something to say with the next heartbeat. */
  askHeartbeat(): void;
}

/**
 * Why an attempt was told to stop: the kernel wants it (`canceled`), its time is over (`timeout`), its lease is gone
 * (`lost`), or the worker is leaving (`released`).
 */
export type StopReason = "canceled" | "timeout" | "lost" | "released";

/** The reason that `signal` carries. */
export class AttemptStopped extends Error {
  override readonly name = "AttemptStopped";
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The attempt was stopped: ${reason}.`);
    this.reason = reason;
  }
}
