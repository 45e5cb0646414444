import type { JsonObject } from "@braid/core";

const brand = Symbol.for("braid.error");

/**
 * Base class of every error that Braid itself raises: an operation could not go on. Failures of steps are data in a run's
 * state, problems of a definition are diagnostics, and neither is ever one of these.
 */
export class BraidError extends Error {
  override readonly name: string = "BraidError";
  /** Stable and made for programs; the message is made for people and may change. */
  readonly code: string;
  /** Facts of the message by name, for programs. */
  readonly details: JsonObject;

  constructor(
    code: string,
    message: string,
    options: { readonly details?: JsonObject; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Recognizes the errors of any copy of this package, also of another version loaded beside it, which `instanceof` does not. */
export function isBraidError(value: unknown): value is BraidError {
  return typeof value === "object" && value !== null && brand in value;
}
