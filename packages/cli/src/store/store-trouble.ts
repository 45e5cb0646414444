import { messageOf } from "../cli-error.ts";
import { oneLine } from "../terminal/sanitize.ts";

/**
 * Codes of stores that may answer later by themselves, or when somebody has made room. They are compared by code and not by
 * class, so that looking at an error does not have to load the engine.
 */
const passing: ReadonlySet<string> = new Set(["store_unavailable", "store_busy", "store_full", "store_io"]);

/** The code of an error of the engine or of its store. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether an error says that the store does not answer, for whatever reason. */
export function isStoreTrouble(error: unknown): boolean {
  return codeOf(error)?.startsWith("store_") === true;
}

/** Whether trouble with a store may pass without a change of what the command was told. */
export function isPassing(error: unknown): boolean {
  return passing.has(codeOf(error) ?? "");
}

/** A message as one line. A store says that the call is tried again, which only its caller can know. */
export function messageLine(error: unknown): string {
  return oneLine(messageOf(error), 2000).replace(/ It is tried again\.$/, "");
}
