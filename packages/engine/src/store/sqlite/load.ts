import { isTerminal } from "@braid/core";
import type { JsonObject, JsonValue, RunStatus } from "@braid/core";
import { decodeRun, decodeStep, runColumns, stepColumns } from "../codec.ts";
import type { Cell } from "../codec.ts";
import type { Store } from "../port.ts";
import type { LoadedRun, NewRun, Payload, PayloadRequest, RunFilter, RunSummaryRow } from "../records.ts";
import type { CellRow, Connection } from "./connection.ts";

/** Reading runs. The control state and the payloads are never read by one statement: the first is small and often read. */

const runNames = runColumns.map(({ name }) => `r.${name}`).join(", ");
const stepNames = stepColumns.map(({ name }) => name).join(", ");

const readRun = `
select r.version, r.workflow, r.workflow_version, r.priority, r.created_at,
  r.parent_run_id, r.parent_step, r.parent_task, r.parent_attempt, p.meta, ${runNames}
from runs r join run_payloads p on p.run_id = r.id
where r.id = ?`;
const hostCells = 10;

const readSteps = `
select ${stepNames} from steps where run_id = ? and version > ? order by step_index, task_index`;

const readLeases = `
select step_index, task_index, dispatch_attempt, worker, lease_token, lease_until from steps
where run_id = ? and dispatch = 'leased' order by step_index, task_index`;

/** The run with those of its step rows that were written after `version`; all of them for 0. */
export function loadRun(
  connection: Connection,
  { runId, after }: { readonly runId: string; readonly after: number },
  now: number,
): LoadedRun | null {
  const found = connection.row(readRun, [runId]);
  if (found === undefined) return null;
  const [version, workflow, workflowVersion, priority, createdAt, ...rest] = found;
  return {
    now,
    id: runId,
    version: version as number,
    workflow: workflow as string,
    workflowVersion: workflowVersion as number,
    priority: priority as number,
    createdAt: createdAt as number,
    parent: parentOf(rest),
    meta: JSON.parse(rest[4] as string) as JsonObject,
    run: decodeRun(found, hostCells),
    steps: connection.rows(readSteps, [runId, after]).map((cells) => decodeStep(cells)),
    leases: connection.rows(readLeases, [runId]).map(leaseOf),
  };
}

function parentOf(cells: readonly Cell[]): NewRun["parent"] {
  const [runId, step, task, attempt] = cells as [string | null, number, number, number];
  return runId === null ? null : { runId, step, task, attempt };
}

function leaseOf(cells: CellRow): LoadedRun["leases"][number] {
  const [step, task, attempt, worker, token, until] = cells as [number, number, number, string, string, number];
  return { step, task, attempt, worker, token, until };
}

const readStatus = "select status, version from runs where id = ?";

export function peekRun(connection: Connection, runId: string): Awaited<ReturnType<Store["peek"]>> {
  const cells = connection.row(readStatus, [runId]);
  if (cells === undefined) return null;
  const [status, version] = cells as [RunStatus, number];
  return { status, version };
}

const readInput = "select input from run_payloads where run_id = ?";
const readOutput = "select output from run_payloads where run_id = ?";
const readStepPayload = `
select s.output, s.patch, i.items, s.child_input, s.progress
from steps s left join step_items i using (run_id, step_index, task_index)
where s.run_id = ? and s.step_index = ? and s.task_index = ?`;

/** Payload columns of one row, or null where there is no such row. */
export function readPayload(connection: Connection, request: PayloadRequest): Payload | null {
  const cells =
    request.kind === "step"
      ? connection.row(readStepPayload, [request.runId, request.step, request.task])
      : connection.row(request.kind === "input" ? readInput : readOutput, [request.runId]);
  if (cells === undefined) return null;
  const [value, patch = null, items = null, childInput = null, progress = null] = cells;
  return {
    value: parsed(value!) as JsonValue | undefined,
    patch: (parsed(patch) ?? null) as JsonObject | null,
    items: (parsed(items) ?? null) as readonly JsonValue[] | null,
    childInput: parsed(childInput) as JsonValue | undefined,
    progress: parsed(progress) as JsonValue | undefined,
  };
}

/** No text is no value; the text `null` is the value null. */
function parsed(cell: Cell): unknown {
  return cell === null ? undefined : (JSON.parse(cell as string) as unknown);
}

/** Newest first. Each filter that is absent leaves its condition out, so that the query can use the index of another. */
export function listRuns(connection: Connection, filter: RunFilter): readonly RunSummaryRow[] {
  const conditions: string[] = [];
  const cells: Cell[] = [];
  const add = (condition: string, cell: Cell | undefined): void => {
    if (cell === undefined) return;
    conditions.push(condition);
    cells.push(cell);
  };
  add("r.workflow = ?", filter.workflow);
  add("r.run_group = ?", filter.group);
  add("r.parent_run_id = ?", filter.parent);
  add("r.id < ?", filter.before);
  add("r.status in (select value from json_each(?))", filter.status && JSON.stringify(filter.status));
  // Those that have not ended are a few of the runs of a group, and have an index of their own.
  if (filter.group !== undefined && filter.status?.every((status) => !isTerminal(status)) === true) {
    conditions.push("r.finished_at is null");
  }
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  const sql = `
select r.id, r.workflow, r.workflow_version, r.created_at, r.group_place, ${runNames}
from runs r ${where} order by r.id desc limit ?`;
  return connection.rows(sql, [...cells, filter.limit]).map((row): RunSummaryRow => {
    const [id, workflow, workflowVersion, createdAt, groupPlace] = row as [
      string,
      string,
      number,
      number,
      number | null,
    ];
    return { id, workflow, workflowVersion, createdAt, groupPlace, run: decodeRun(row, 5) };
  });
}
