import { parseDuration } from "@braid/core";
import { UsageError } from "../cli-error.ts";

/** Milliseconds of a duration that an option gives, written as in a workflow file. */
export function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UsageError(
    `${option} expects a duration such as \`500ms\`, \`2s\`, \`5m\`, \`1h\` or \`7d\`, got \`${text}\``,
  );
}
