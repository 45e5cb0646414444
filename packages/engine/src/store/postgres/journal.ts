import type { TraceEvent } from "@braid/core";
import type { LogFilter, LogLine } from "../records.ts";
import { cleanText } from "../storable.ts";
import { unpackTrace } from "../trace-rows.ts";
import { arrayOf } from "./link.ts";
import type { Link, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { isRunId } from "./run-id.ts";

/** What a run leaves to read: its trace, and the log lines of its attempts. */

/** Rows follow each other without gaps, so the row that holds event `after` + 1 is the last one that begins there or before. */
const traceFrom = perNames(({ table }): Statement => {
  const text = `
select first_seq, at, events from ${table("trace_events")}
where run_id = $1 and last_seq > $2::integer and first_seq >= (
  select coalesce(max(first_seq), 0) from ${table("trace_events")} where run_id = $1 and first_seq <= $2::bigint + 1
)
order by first_seq limit $3`;
  return { name: "read_trace", text };
});

export async function readTrace(
  link: Link,
  names: Names,
  { runId, after, limit }: { readonly runId: string; readonly after: number; readonly limit: number },
): Promise<readonly TraceEvent[]> {
  if (!isRunId(runId)) return [];
  const rows = await link.rows(traceFrom(names), [runId, after, limit]);
  const events = rows.flatMap((row) => {
    const [firstSeq, at, packed] = row as [number, number, string];
    return unpackTrace({ firstSeq, at, events: packed });
  });
  return events.filter(({ seq }) => seq > after).slice(0, limit);
}

/**
 * Lines of a run that was deleted meanwhile are dropped: nobody can ask for them. The runs are locked against deletion, in order
 * of their ids, so that no line is left behind by a `prune` at the same time; that lock stands in nobody else's way.
 */
const insertLines = perNames(({ table }): Statement => {
  const text = `
with run as materialized (
  select id from ${table("runs")} where id = any($1::uuid[]) order by id for key share
)
insert into ${table("logs")} (run_id, step_index, task_index, attempt, at, stream, text)
select u.run_id, u.step_index, u.task_index, u.attempt, u.at, u.stream, u.text
from unnest($2::uuid[], $3::integer[], $4::integer[], $5::integer[], $6::bigint[], $7::text[], $8::text[])
  with ordinality as u (run_id, step_index, task_index, attempt, at, stream, text, place)
where u.run_id in (select id from run)
order by u.place`;
  return { name: "append_logs", text };
});

export async function appendLogs(link: Link, names: Names, lines: readonly LogLine[]): Promise<void> {
  const known = lines.filter(({ runId }) => isRunId(runId));
  if (known.length === 0) return;
  await link.rows(insertLines(names), [
    arrayOf([...new Set(known.map(({ runId }) => runId))]),
    arrayOf(known.map(({ runId }) => runId)),
    arrayOf(known.map(({ step }) => step)),
    arrayOf(known.map(({ task }) => task)),
    arrayOf(known.map(({ attempt }) => attempt)),
    arrayOf(known.map(({ at }) => Math.floor(at))),
    arrayOf(known.map(({ stream }) => stream)),
    arrayOf(known.map(({ text }) => cleanText(text))),
  ]);
}

const linesOf = (order: "asc" | "desc") =>
  perNames(({ table }): Statement => {
    const text = `
select run_id, step_index, task_index, attempt, at, stream, text from ${table("logs")}
where run_id = $1 and ($2::integer is null or step_index = $2) and ($3::integer is null or task_index = $3)
order by id ${order} limit $4::bigint`;
    return { name: `read_logs_${order}`, text };
  });

const firstLines = linesOf("asc");
const lastLines = linesOf("desc");

export async function readLogs(link: Link, names: Names, filter: LogFilter): Promise<readonly LogLine[]> {
  const { runId, step, task, limit, tail } = filter;
  if (!isRunId(runId)) return [];
  const statement = tail === true ? lastLines(names) : firstLines(names);
  // A limit of null is none.
  const rows = await link.rows(statement, [runId, step ?? null, task ?? null, limit ?? null]);
  const lines = rows.map((row): LogLine => {
    const [id, stepIndex, taskIndex, attempt, at, stream, text] = row as [
      string,
      number,
      number,
      number,
      number,
      LogLine["stream"],
      string,
    ];
    return { runId: id, step: stepIndex, task: taskIndex, attempt, at, stream, text };
  });
  return tail === true ? lines.toReversed() : lines;
}
