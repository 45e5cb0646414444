import { MAX_LISTED_NAMES } from "./limits.ts";

/** Why an evaluation has no value: a member that is not there, a wrong operand, or a value beyond a limit. */
export type FailureReason = "unresolved" | "invalid" | "limit";

/**
 * Carries a failed evaluation out of the library's tree walk, which knows no other way back. It never leaves this folder:
 * the entry points turn it into a result, and let every other exception pass, so that a host's lazy getter may throw.
 */
export class ExpressionFailure extends Error {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Longest name that a message shows in full: keys of data may be as long as any text. */
const MAX_SHOWN_NAME = 60;

/** Names in backticks, the first ten of them, with the number of those left out. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED_NAMES).map((name) => {
    return `\`${name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name}\``;
  });
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
