import type { JsonObject, TraceEvent, TraceType } from "@braid/core";
import { encodeJson, NotStorable } from "./storable.ts";

/** The trace events of one run and commit, as one row. The numbers are not kept: event n of the row is `firstSeq` + n. */
export interface TraceRow {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Instant of the first event; the others are kept as distances from it. */
  readonly at: number;
  /** JSON array of events, each `[type, step, task, attempt, milliseconds after at, data]` without trailing zeros and nulls. */
  readonly events: string;
}

/** Types by the number under which they are kept. New ones are added at the end: rows hold these numbers for ever. */
const traceTypes = [
  "run.queued",
  "run.started",
  "run.paused",
  "run.resumed",
  "run.completed",
  "run.failed",
  "run.canceled",
  "step.ready",
  "step.started",
  "step.waiting",
  "step.retrying",
  "step.completed",
  "step.failed",
  "step.skipped",
  "step.canceled",
  "task.started",
  "task.completed",
  "task.failed",
  "task.canceled",
  "task.lost",
] as const satisfies readonly TraceType[];

/** Does not compile when a type has no number. */
const numberOf: ReadonlyMap<TraceType extends (typeof traceTypes)[number] ? TraceType : never, number> = new Map(
  traceTypes.map((type, number) => [type, number]),
);

/**
 * About a fifth of the bytes of the events as objects, in the table that grows fastest. The first rows of SQLite files hold types
 * by their names.
 */
type PackedEvent = readonly [
  type: TraceType | number,
  step: number,
  task: number,
  attempt: number,
  offset?: number,
  data?: JsonObject,
];

/** Packs events that continue a trace whose latest number is `traceSeq`; null if there are none. */
export function packTrace(trace: readonly TraceEvent[], traceSeq: number): TraceRow | null {
  const first = trace[0];
  if (first === undefined) return null;
  let events = "";
  for (let index = 0; index < trace.length; index += 1) {
    const event = trace[index]!;
    const expected = traceSeq + 1 + index;
    if (event.seq !== expected) throw new NotStorable(`trace event ${event.seq} stands where ${expected} is due`);
    events += `${index === 0 ? "[" : ","}${packEvent(event, event.at - first.at)}`;
  }
  return { firstSeq: first.seq, lastSeq: first.seq + trace.length - 1, at: first.at, events: `${events}]` };
}

/** A `PackedEvent` as text, written by hand: lists of numbers for JSON to write would be most of what a commit makes. */
function packEvent({ type, step, task, attempt, data }: TraceEvent, offset: number): string {
  const head = `[${numberOf.get(type)!},${step},${task},${attempt}`;
  if (data !== null) return `${head},${offset},${encodeJson(data, "the trace")}]`;
  return offset === 0 ? `${head}]` : `${head},${offset}]`;
}

/** The events of a row, as they were packed. */
export function unpackTrace(row: Pick<TraceRow, "firstSeq" | "at" | "events">): TraceEvent[] {
  const packed = JSON.parse(row.events) as readonly PackedEvent[];
  return packed.map(([type, step, task, attempt, offset = 0, data = null], index) => ({
    seq: row.firstSeq + index,
    at: row.at + offset,
    type: typeof type === "number" ? traceTypes[type]! : type,
    step,
    task,
    attempt,
    data,
  }));
}
