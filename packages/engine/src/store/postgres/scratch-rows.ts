import { RunRow, StepRow } from "@braid/core";
import { encodeRun, encodeStep, runColumns, stepColumns } from "../codec.ts";
import type { Cell, Column } from "../codec.ts";
import { chainPlan } from "../contract/plan.ts";
import { newId } from "../contract/run-driver.ts";
import type { ScratchLinks } from "./scratch-links.ts";
import { putWorkflow } from "./workflows.ts";

/** Rows as tests of single functions need them, written past the commit. */

/** The workflow that all runs of a test belong to. */
export const scratchPlan = {
  name: "release",
  hash: "hash-1",
  definition: {},
  plan: chainPlan("release", ["a", "b", "c"]),
};

export async function putScratchPlan(scratch: ScratchLinks): Promise<void> {
  await putWorkflow(scratch.open(), scratch.names, scratchPlan);
}

/** Columns that the kernel does not have, in a run as it is when nothing has been said about it. */
const ownRun: Readonly<Record<string, Cell>> = {
  workflow: "release",
  workflow_version: 1,
  priority: 0,
  created_at: 1_000,
  version: 1,
  last_commit_id: "c1",
};

interface RunFields {
  readonly run?: Partial<RunRow>;
  readonly own?: Readonly<Record<string, Cell>>;
}

/** Writes a running run and answers its id. */
export async function insertRun(scratch: ScratchLinks, { run = {}, own = {} }: RunFields = {}): Promise<string> {
  const id = newId();
  const row = Object.assign(new RunRow(), { status: "running", startedAt: 1_000 }, run);
  const more = { id, ...ownRun, ...own };
  await insert(scratch, "runs", { ...more, ...cellsByName(runColumns, encodeRun(row)) });
  await insert(scratch, "run_payloads", { run_id: id, input: "{}", meta: "{}" });
  return id;
}

/** A run that ended at an instant. */
export function insertEnded(scratch: ScratchLinks, finishedAt: number, own: RunFields["own"] = {}): Promise<string> {
  return insertRun(scratch, { run: { status: "completed", finishedAt }, own });
}

interface StepFields {
  readonly step: number;
  readonly task?: number;
  readonly row?: Partial<StepRow>;
  readonly own?: Readonly<Record<string, Cell>>;
}

export async function insertStep(scratch: ScratchLinks, runId: string, fields: StepFields): Promise<void> {
  const { step, task = -1, row = {}, own = {} } = fields;
  const cells = encodeStep(Object.assign(new StepRow(step, task), row));
  await insert(scratch, "steps", { run_id: runId, version: 1, ...own, ...cellsByName(stepColumns, cells) });
}

function cellsByName(columns: readonly Column[], cells: readonly Cell[]): Record<string, Cell> {
  return Object.fromEntries(columns.map(({ name }, index) => [name, cells[index]!]));
}

export async function insert(scratch: ScratchLinks, table: string, row: Readonly<Record<string, Cell>>): Promise<void> {
  const names = Object.keys(row);
  const places = names.map((_, index) => `$${index + 1}`);
  const text = `insert into ${table} (${names.join(", ")}) values (${places.join(", ")})`;
  await scratch.query(text, Object.values(row));
}
