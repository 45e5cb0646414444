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

/** About a third of the bytes of the events as objects, in the table that grows fastest. */
type PackedEvent = readonly [
  type: TraceType,
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
  const packed = trace.map((event, index): PackedEvent => {
    const expected = traceSeq + 1 + index;
    if (event.seq !== expected) throw new NotStorable(`trace event ${event.seq} stands where ${expected} is due`);
    const { type, step, task, attempt, data } = event;
    const offset = event.at - first.at;
    if (data !== null) return [type, step, task, attempt, offset, data];
    return offset === 0 ? [type, step, task, attempt] : [type, step, task, attempt, offset];
  });
  return {
    firstSeq: first.seq,
    lastSeq: first.seq + trace.length - 1,
    at: first.at,
    events: encodeJson(packed, "the trace"),
  };
}

/** The events of a row, as they were packed. */
export function unpackTrace(row: Pick<TraceRow, "firstSeq" | "at" | "events">): TraceEvent[] {
  const packed = JSON.parse(row.events) as readonly PackedEvent[];
  return packed.map(([type, step, task, attempt, offset = 0, data = null], index) => ({
    seq: row.firstSeq + index,
    at: row.at + offset,
    type,
    step,
    task,
    attempt,
    data,
  }));
}
