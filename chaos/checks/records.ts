import type { Plan, TraceEvent } from "@braid/core";
import type { Store } from "@braid/engine";
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

export interface SignalRecord {
  readonly run_id: string;
  readonly name: string;
  readonly payload: { readonly number?: number };
  readonly used_at: number | null;
}

const mostEvents = 1_000_000;

/** Everything of one run. */
export interface RunEvidence {
  readonly run: RunRecord;
  readonly plan: Plan;
  readonly steps: readonly StepRecord[];
  readonly trace: readonly TraceEvent[];
  /** Problems of the rows of the trace by themselves. */
  readonly traceProblems: readonly string[];
  /** First and last number of each row. */
  readonly traceRows: ReadonlySet<string>;
}

interface TraceRow {
  readonly run_id: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly count: number;
}

const traceRows = `
select run_id, first_seq, last_seq, json_array_length(events) as count from braid.trace_events order by run_id, first_seq`;

/** Reads all tables that the checks look at; the store itself is asked only what the events of a trace are. */
export async function readRuns(database: Database, store: Store): Promise<readonly RunEvidence[]> {
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
  const rows = groupByRun(await database.rows<TraceRow>(traceRows));
  const evidence: RunEvidence[] = [];
  for (const run of runs) {
    const own = rows.get(run.id) ?? [];
    evidence.push({
      run,
      plan: plans.get(`${run.workflow} ${run.workflow_version}`)!,
      steps: steps.get(run.id) ?? [],
      trace: await store.readTrace(run.id, 0, mostEvents),
      traceProblems: problemsOf(run, own),
      traceRows: new Set(own.map(({ first_seq: first, last_seq: last }) => `${first}-${last}`)),
    });
  }
  return evidence;
}

function groupByRun<Row extends { readonly run_id: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.run_id);
    if (group === undefined) groups.set(row.run_id, [row]);
    else group.push(row);
  }
  return groups;
}

/** Numbers without a gap, up to the one that the run knows as its last. */
function problemsOf(run: RunRecord, rows: readonly TraceRow[]): readonly string[] {
  const problems: string[] = [];
  let last = 0;
  for (const row of rows) {
    if (row.first_seq !== last + 1) problems.push(`trace row ${row.first_seq} follows number ${last}`);
    if (row.count !== row.last_seq - row.first_seq + 1)
      problems.push(`trace row ${row.first_seq} to ${row.last_seq} has ${row.count} events`);
    last = row.last_seq;
  }
  if (last !== run.trace_seq) problems.push(`the trace ends with number ${last}, the run says ${run.trace_seq}`);
  return problems;
}
