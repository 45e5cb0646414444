import type { JsonObject, JsonValue } from "@braid/core";
import type { PublicTraceEvent } from "@braid/engine";

/** A public trace event with the types its readers here rely on. */
export interface TraceLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type: string;
  /** Step id; null where the event is about the run. */
  readonly step: string | null;
  /** Item of a map, or 0. */
  readonly task: number;
  readonly attempt: number;
  readonly data: JsonObject;
}

/** Reads a public trace event. What is absent or of another type gets a neutral value: a newer writer must not end a reader. */
export function readTraceLine(event: PublicTraceEvent): TraceLine {
  const at = typeof event["at"] === "string" ? Date.parse(event["at"]) : Number.NaN;
  return {
    at: Number.isNaN(at) ? 0 : at,
    type: typeof event["type"] === "string" ? event["type"] : "",
    step: typeof event["step"] === "string" ? event["step"] : null,
    task: numberOf(event["task"]) ?? 0,
    attempt: numberOf(event["attempt"]) ?? 0,
    data: isObject(event["data"]) ? event["data"] : {},
  };
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
