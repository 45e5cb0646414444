import type { TraceEvent } from "@braid/core";
import type { Cell } from "../codec.ts";
import type { LogFilter, LogLine } from "../records.ts";
import { cleanText } from "../storable.ts";
import { unpackTrace } from "../trace-rows.ts";
import type { Connection } from "./connection.ts";

/** What a run leaves to read: its trace, and the log lines of its attempts. */

/** Rows follow each other without gaps, so the row that holds event `after` + 1 is the last one that begins there or before. */
const traceFrom = `
select first_seq, at, events from trace_events
where run_id = ?1 and last_seq > ?2 and first_seq >= (
  select coalesce(max(first_seq), 0) from trace_events where run_id = ?1 and first_seq <= ?2 + 1
)
order by first_seq limit ?3`;

export function readTrace(
  connection: Connection,
  runId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): readonly TraceEvent[] {
  const events = connection.rows(traceFrom, [runId, after, limit]).flatMap((cells) => {
    const [firstSeq, at, packed] = cells as [number, number, string];
    return unpackTrace({ firstSeq, at, events: packed });
  });
  return events.filter(({ seq }) => seq > after).slice(0, limit);
}

const insertLine = `
insert into logs (run_id, step_index, task_index, attempt, at, stream, text)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7 where exists (select 1 from runs where id = ?1)`;

/** Lines of a run that was deleted meanwhile are dropped: nobody can ask for them. */
export async function appendLogs(connection: Connection, lines: readonly LogLine[]): Promise<void> {
  if (lines.length === 0) return;
  await connection.write(() => {
    for (const { runId, step, task, attempt, at, stream, text } of lines) {
      connection.run(insertLine, [runId, step, task, attempt, Math.floor(at), stream, cleanText(text)]);
    }
  }, "lazy");
}

export function readLogs(connection: Connection, filter: LogFilter): readonly LogLine[] {
  const conditions = ["run_id = ?"];
  const cells: Cell[] = [filter.runId];
  if (filter.step !== undefined) {
    conditions.push("step_index = ?");
    cells.push(filter.step);
  }
  if (filter.task !== undefined) {
    conditions.push("task_index = ?");
    cells.push(filter.task);
  }
  const isTail = filter.tail === true;
  const sql = `
select run_id, step_index, task_index, attempt, at, stream, text from logs
where ${conditions.join(" and ")} order by id ${isTail ? "desc" : "asc"} limit ?`;
  // A negative limit is none.
  const lines = connection.rows(sql, [...cells, filter.limit ?? -1]).map((row): LogLine => {
    const [runId, step, task, attempt, at, stream, text] = row as [
      string,
      number,
      number,
      number,
      number,
      LogLine["stream"],
      string,
    ];
    return { runId, step, task, attempt, at, stream, text };
  });
  return isTail ? lines.toReversed() : lines;
}
