import type { Plan, TraceType } from "@braid/core";
import type { Database } from "../database.ts";

/** A run as the tables have it. */
export interface RunRecord {
  readonly id: string;
  readonly workflow: string;
  readonly workflow_version: number;
  readonly status: string;
  readonly idempotency_key: string | null;
  readonly parent_run_id: string | null;
  readonly parent_step: number | null;
  readonly parent_attempt: number | null;
  readonly trace_seq: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly input: { readonly number?: number };
}

export interface StepRecord {
  readonly run_id: string;
  readonly step_index: number;
  readonly task_index: number;
  readonly status: string;
  readonly attempt: number;
  readonly attempts_used: number;
  readonly error: { readonly code: string } | null;
  readonly lease_token: string | null;
  readonly dispatch: string | null;
  readonly output: unknown;
}

/** An event of a trace: `task` is 0 for an ordinary step, `step` -1 for the run. */
export interface TraceRecord {
  readonly seq: number;
  readonly at: number;
  readonly type: TraceType;
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
}

export interface SignalRecord {
  readonly run_id: string;
  readonly name: string;
  readonly payload: { readonly number?: number };
  readonly used_at: number | null;
}

/** Everything of one run. */
export interface RunEvidence {
  readonly run: RunRecord;
  readonly plan: Plan;
  readonly steps: readonly StepRecord[];
  readonly trace: readonly TraceRecord[];
  /** Problems of the rows of the trace by themselves. */
  readonly traceProblems: readonly string[];
  /** First and last number of each row. */
  readonly traceRows: ReadonlySet<string>;
}

interface TraceRow {
  readonly run_id: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly at: number;
  readonly events: readonly (readonly [TraceType, number, number, number, number?, unknown?])[];
}

/** Reads all tables that the checks look at. */
export async function readRuns(database: Database): Promise<readonly RunEvidence[]> {
  const workflows = await database.rows<{ name: string; version: number; plan: Plan }>(
    "select name, version, plan from braid.workflows",
  );
  const plans = new Map(workflows.map(({ name, version, plan }) => [`${name} ${version}`, plan]));
  const runs = await database.rows<RunRecord>(
    `select r.*, p.input from braid.runs r join braid.run_payloads p on p.run_id = r.id order by r.id`,
  );
  const steps = groupByRun(
    await database.rows<StepRecord>("select * from braid.steps order by run_id, step_index, task_index"),
  );
  const rows = groupByRun(await database.rows<TraceRow>("select * from braid.trace_events order by run_id, first_seq"));
  return runs.map((run) => {
    const own = rows.get(run.id) ?? [];
    return {
      run,
      plan: plans.get(`${run.workflow} ${run.workflow_version}`)!,
      steps: steps.get(run.id) ?? [],
      trace: own.flatMap(unpack),
      traceProblems: problemsOf(run, own),
      traceRows: new Set(own.map(({ first_seq: first, last_seq: last }) => `${first}-${last}`)),
    };
  });
}

function groupByRun<Row extends { readonly run_id: string }>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.run_id);
    if (group === undefined) groups.set(row.run_id, [row]);
    else group.push(row);
  }
  return groups;
}

function unpack({ first_seq: first, at, events }: TraceRow): readonly TraceRecord[] {
  return events.map(([type, step, task, attempt, offset = 0], index) => {
    return { seq: first + index, at: at + offset, type, step, task, attempt };
  });
}

/** Numbers without a gap, up to the one that the run knows as its last. */
function problemsOf(run: RunRecord, rows: readonly TraceRow[]): readonly string[] {
  const problems: string[] = [];
  let last = 0;
  for (const row of rows) {
    if (row.first_seq !== last + 1) problems.push(`trace row ${row.first_seq} follows number ${last}`);
    if (row.events.length !== row.last_seq - row.first_seq + 1)
      problems.push(`trace row ${row.first_seq} to ${row.last_seq} has ${row.events.length} events`);
    last = row.last_seq;
  }
  if (last !== run.trace_seq) problems.push(`the trace ends with number ${last}, the run says ${run.trace_seq}`);
  return problems;
}
