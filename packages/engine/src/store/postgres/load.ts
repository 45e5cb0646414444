import type { JsonObject, JsonValue, RunStatus } from "@braid/core";
import { decodeRun, decodeStep, runColumns, stepColumns } from "../codec.ts";
import type { Store } from "../port.ts";
import type { LoadedRun, NewRun, Payload, PayloadRequest, RunFilter, RunSummaryRow } from "../records.ts";
import { arrayOf } from "./link.ts";
import type { Cell, Link, Parameter, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { toCells } from "./row-columns.ts";
import { isRunId } from "./run-id.ts";

/**
 * Reading runs. The control state and the payloads are never read by one statement: the first is small and often read. State is
 * read by one statement alone, so that run, steps and leases come from one snapshot.
 */
export interface LoadStatements {
  readonly load: Statement;
  readonly loadNewer: Statement;
  readonly stepPayloads: Statement;
  readonly runPayloads: Statement;
}

const runNames = runColumns.map(({ name }) => `r.${name}`).join(", ");
const stepNames = stepColumns.map(({ name }) => `s.${name}`);

/** Cells that stand before the kernel's columns of a run. */
const hostCells = 13;

export function loadStatements(names: Names): LoadStatements {
  const steps = names.table("steps");
  const leases = `(select json_agg(
      json_build_array(s.step_index, s.task_index, s.dispatch_attempt, s.worker, s.lease_token, s.lease_until)
      order by s.step_index, s.task_index)
    from ${steps} s where s.run_id = r.id and s.dispatch = 'leased')`;
  const load = (isWhole: boolean): Statement => ({
    name: isWhole ? "load" : "load_newer",
    text: `
select ${names.now}, r.version, r.workflow, r.workflow_version, r.priority, r.created_at,
  r.parent_run_id, r.parent_step, r.parent_task, r.parent_attempt, p.meta,
  (select json_agg(json_build_array(${stepNames.join(", ")}) order by s.step_index, s.task_index)
    from ${steps} s where s.run_id = r.id${isWhole ? "" : " and s.version > $2"}),
  ${isWhole ? leases : "null"},
  ${runNames}
from ${names.table("runs")} r join ${names.table("run_payloads")} p on p.run_id = r.id
where r.id = $1`,
  });
  return {
    load: load(true),
    loadNewer: load(false),
    stepPayloads: {
      name: "step_payloads",
      text: `
select s.run_id is not null, s.output, s.patch, i.items, s.child_input, s.progress
from unnest($1::uuid[], $2::integer[], $3::integer[]) with ordinality as u (run_id, step_index, task_index, n)
left join ${steps} s on s.run_id = u.run_id and s.step_index = u.step_index and s.task_index = u.task_index
left join ${names.table("step_items")} i
  on i.run_id = u.run_id and i.step_index = u.step_index and i.task_index = u.task_index
order by u.n`,
    },
    runPayloads: {
      name: "run_payloads",
      text: `
select p.run_id is not null, p.input, p.output
from unnest($1::uuid[]) with ordinality as u (run_id, n)
left join ${names.table("run_payloads")} p on p.run_id = u.run_id
order by u.n`,
    },
  };
}

type Send = (statement: Statement, parameters: readonly Parameter[]) => ReturnType<Link["rows"]>;

/** Which run, and the version after which its rows were written; null: all rows, and the leases. */
interface Wanted {
  readonly runId: string;
  readonly after: number | null;
}

/** The run with its step rows. */
export async function loadRun(link: Link, statements: LoadStatements, wanted: Wanted): Promise<LoadedRun | null> {
  return loadRunBy((statement, parameters) => link.rows(statement, parameters), statements, wanted);
}

export async function loadRunBy(
  send: Send,
  { load, loadNewer }: LoadStatements,
  { runId, after }: Wanted,
): Promise<LoadedRun | null> {
  if (!isRunId(runId)) return null;
  const [found] = await (after === null ? send(load, [runId]) : send(loadNewer, [runId, after]));
  if (found === undefined) return null;
  const [now, version, workflow, workflowVersion, priority, createdAt, ...rest] = found;
  const steps = rest[5] === null ? [] : (JSON.parse(rest[5] as string) as readonly (readonly unknown[])[]);
  const leases = rest[6] === null ? [] : (JSON.parse(rest[6] as string) as readonly LeaseCells[]);
  return {
    now: now as number,
    id: runId,
    version: version as number,
    workflow: workflow as string,
    workflowVersion: workflowVersion as number,
    priority: priority as number,
    createdAt: createdAt as number,
    parent: parentOf(rest),
    meta: JSON.parse(rest[4] as string) as JsonObject,
    run: decodeRun(toCells(found), hostCells),
    steps: steps.map((cells) => decodeStep(stepCells(cells))),
    leases: leases.map(([step, task, attempt, worker, token, until]) => ({
      step,
      task,
      attempt,
      worker,
      token,
      until,
    })),
  };
}

type LeaseCells = readonly [step: number, task: number, attempt: number, worker: string, token: string, until: number];

/** Columns of JSON come as values within the array, and the codec wants their texts. */
function stepCells(cells: readonly unknown[]): ReturnType<typeof toCells> {
  return toCells(cells.map((cell) => (typeof cell === "object" && cell !== null ? JSON.stringify(cell) : cell)));
}

function parentOf(cells: readonly Cell[]): NewRun["parent"] {
  const [runId, step, task, attempt] = cells as readonly [string | null, number, number, number];
  return runId === null ? null : { runId, step, task, attempt };
}

const statusOf = perNames(({ table }): Statement => {
  return { name: "peek", text: `select status, version from ${table("runs")} where id = $1` };
});

export async function peekRun(link: Link, names: Names, runId: string): ReturnType<Store["peek"]> {
  if (!isRunId(runId)) return null;
  const [row] = await link.rows(statusOf(names), [runId]);
  if (row === undefined) return null;
  const [status, version] = row as readonly [RunStatus, number];
  return { status, version };
}

/** Payloads in the order asked; null where a run or row does not exist. */
export async function readPayloads(
  link: Link,
  statements: LoadStatements,
  requests: readonly PayloadRequest[],
): Promise<readonly (Payload | null)[]> {
  const answers: (Payload | null)[] = requests.map(() => null);
  const places = requests.map((_, index) => index).filter((index) => isRunId(requests[index]!.runId));
  const ofSteps = places.filter((index) => requests[index]!.kind === "step");
  const ofRuns = places.filter((index) => requests[index]!.kind !== "step");
  const runIdOf = (index: number): string => requests[index]!.runId;
  await Promise.all([
    readStepPayloads(link, statements, { requests, places: ofSteps, answers }),
    ofRuns.length === 0
      ? null
      : link.rows(statements.runPayloads, [arrayOf(ofRuns.map(runIdOf))]).then((rows) => {
          for (const [place, [exists, input, output]] of rows.entries()) {
            const index = ofRuns[place]!;
            const text = requests[index]!.kind === "input" ? input : output;
            if (exists === true) answers[index] = { ...noPayload, value: parsed(text!) as JsonValue | undefined };
          }
        }),
  ]);
  return answers;
}

const noPayload: Payload = { value: undefined, patch: null, items: null, childInput: undefined, progress: undefined };

async function readStepPayloads(
  link: Link,
  { stepPayloads }: LoadStatements,
  wanted: {
    readonly requests: readonly PayloadRequest[];
    readonly places: readonly number[];
    readonly answers: (Payload | null)[];
  },
): Promise<void> {
  const { requests, places, answers } = wanted;
  if (places.length === 0) return;
  const steps = places.map((index) => requests[index] as Extract<PayloadRequest, { readonly kind: "step" }>);
  const rows = await link.rows(stepPayloads, [
    arrayOf(steps.map(({ runId }) => runId)),
    arrayOf(steps.map(({ step }) => step)),
    arrayOf(steps.map(({ task }) => task)),
  ]);
  for (const [place, [exists, output, patch, items, childInput, progress]] of rows.entries()) {
    if (exists !== true) continue;
    answers[places[place]!] = {
      value: parsed(output!) as JsonValue | undefined,
      patch: (parsed(patch!) ?? null) as JsonObject | null,
      items: (parsed(items!) ?? null) as readonly JsonValue[] | null,
      childInput: parsed(childInput!) as JsonValue | undefined,
      progress: parsed(progress!) as JsonValue | undefined,
    };
  }
}

/** No text is no value; the text `null` is the value null. */
function parsed(cell: Cell): unknown {
  return cell === null ? undefined : (JSON.parse(cell as string) as unknown);
}

/** Newest first. Each filter that is absent leaves its condition out, so that the query can use the index of another. */
export async function listRuns(link: Link, names: Names, filter: RunFilter): Promise<readonly RunSummaryRow[]> {
  const conditions: string[] = [];
  const parameters: Parameter[] = [];
  const used: string[] = [];
  const add = (name: string, condition: (place: string) => string, parameter: Parameter | undefined): void => {
    if (parameter === undefined) return;
    parameters.push(parameter);
    used.push(name);
    conditions.push(condition(`$${parameters.length}`));
  };
  if ([filter.parent, filter.before].some((id) => id !== undefined && !isRunId(id))) return [];
  add("workflow", (place) => `r.workflow = ${place}`, filter.workflow);
  add("group", (place) => `r.run_group = ${place}`, filter.group);
  add("parent", (place) => `r.parent_run_id = ${place}`, filter.parent);
  add("before", (place) => `r.id < ${place}`, filter.before);
  add("status", (place) => `r.status = any (${place}::text[])`, filter.status && arrayOf(filter.status));
  parameters.push(filter.limit);
  const text = `
select r.id, r.workflow, r.workflow_version, r.created_at, r.group_place, ${runNames}
from ${names.table("runs")} r ${conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`}
order by r.id desc limit $${parameters.length}`;
  const rows = await link.rows({ name: ["list_runs", ...used].join("_"), text }, parameters);
  return rows.map((row): RunSummaryRow => {
    const [id, workflow, workflowVersion, createdAt, groupPlace] = row as readonly [
      string,
      string,
      number,
      number,
      number | null,
    ];
    return { id, workflow, workflowVersion, createdAt, groupPlace, run: decodeRun(toCells(row), 5) };
  });
}
