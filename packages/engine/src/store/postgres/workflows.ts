import type { JsonObject, JsonValue, Plan } from "@braid/core";
import { meanDurations, sampledRuns } from "../durations.ts";
import type { DurationSample } from "../durations.ts";
import type { StoredWorkflow, WorkflowRecord } from "../records.ts";
import { checkText, encodeJson } from "../storable.ts";
import { arrayOf } from "./link.ts";
import type { CellRow, Link, Statement } from "./link.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { refusing } from "../refusing.ts";

const findVersion = perNames(({ table }): Statement => {
  return { name: "find_version", text: `select version from ${table("workflows")} where name = $1 and hash = $2` };
});

/** Waits for others that put a plan under the name at the same time, and does nothing if they took the version or the hash. */
const insertWorkflow = perNames(({ table, now }): Statement => {
  const text = `
insert into ${table("workflows")} (name, version, hash, definition, plan, kernel_version, created_at)
values (
  $1, (select coalesce(max(version), 0) + 1 from ${table("workflows")} where name = $1), $2, $3, $4, $5::integer, ${now}
)
on conflict do nothing
returning version`;
  return { name: "insert_workflow", text };
});

/** Keeps the plan under the next version of its name, or finds the version that has the same hash. */
export async function putWorkflow(
  link: Link,
  names: Names,
  { name, hash, definition, plan }: WorkflowRecord,
): Promise<{ readonly version: number }> {
  const [key, texts] = refusing(() => [
    [checkText(name, "the name of a workflow"), checkText(hash, "the hash of a plan")],
    [encodeJson(definition, "the definition"), encodeJson(plan, "the plan")],
  ]) as [string[], string[]];
  // Each round that finds and inserts nothing means that somebody else inserted another plan, so somebody always gets on.
  for (;;) {
    const [known] = await link.rows(findVersion(names), key);
    if (known !== undefined) return { version: known[0] as number };
    const [made] = await link.rows(insertWorkflow(names), [...key, ...texts, plan.planVersion]);
    if (made !== undefined) return { version: made[0] as number };
  }
}

const columns = "version, hash, definition, plan, created_at";

const newestVersion = perNames(({ table }): Statement => {
  const text = `select ${columns} from ${table("workflows")} where name = $1 order by version desc limit 1`;
  return { name: "newest_workflow", text };
});

const oneVersion = perNames(({ table }): Statement => {
  return {
    name: "get_workflow",
    text: `select ${columns} from ${table("workflows")} where name = $1 and version = $2`,
  };
});

export async function getWorkflow(
  link: Link,
  names: Names,
  { name, version }: { readonly name: string; readonly version?: number | undefined },
): Promise<StoredWorkflow | null> {
  const [row] = await (version === undefined
    ? link.rows(newestVersion(names), [name])
    : link.rows(oneVersion(names), [name, version]));
  if (row === undefined) return null;
  const [found, hash, definition, plan, createdAt] = row as [number, string, string, string, number];
  return {
    name,
    version: found,
    hash,
    definition: JSON.parse(definition) as JsonValue,
    plan: JSON.parse(plan) as Plan,
    createdAt,
  };
}

const stepDurations = perNames(({ table }): Statement => {
  const text = `
with sample as materialized (
  select id, workflow_version from ${table("runs")}
  where workflow = $1 and status = 'completed' order by id desc limit ${sampledRuns}
)
select r.workflow_version, s.step_index, sum(s.finished_at - s.started_at)::double precision, count(*)
from sample r join ${table("steps")} s on s.run_id = r.id and s.task_index = -1
where s.status = 'completed' and s.started_at is not null
group by r.workflow_version, s.step_index`;
  return { name: "step_durations", text };
});

const plansOf = perNames(({ table }): Statement => {
  const text = `select version, plan from ${table("workflows")} where name = $1 and version = any($2::integer[])`;
  return { name: "plans_of_workflow", text };
});

export async function durations(link: Link, names: Names, workflow: string): Promise<JsonObject> {
  const rows = await link.rows(stepDurations(names), [workflow]);
  if (rows.length === 0) return {};
  const samples = rows.map(sampleOf);
  const versions = [...new Set(samples.map(({ workflowVersion }) => workflowVersion))];
  const found = (await link.rows(plansOf(names), [workflow, arrayOf(versions)])) as readonly (readonly [
    number,
    string,
  ])[];
  const plans = new Map(found.map(([version, plan]) => [version, JSON.parse(plan) as Plan]));
  return meanDurations(samples, (version) => plans.get(version));
}

function sampleOf(row: CellRow): DurationSample {
  const [workflowVersion, step, totalMs, count] = row as [number, number, number, number];
  return { workflowVersion, step, totalMs, count };
}

const insertRanks = perNames(({ table }): Statement => {
  return {
    name: "put_ranks",
    text: `insert into ${table("ranks")} (id, ranks) values ($1, $2) on conflict do nothing`,
  };
});

export async function putRanks(
  link: Link,
  names: Names,
  { id, ranks }: { readonly id: string; readonly ranks: readonly number[] },
): Promise<void> {
  const cells = refusing(() => [checkText(id, "the id of ranks"), encodeJson(ranks, "the ranks")]);
  await link.rows(insertRanks(names), cells);
}

const selectRanks = perNames(({ table }): Statement => {
  return { name: "get_ranks", text: `select ranks from ${table("ranks")} where id = $1` };
});

export async function getRanks(link: Link, names: Names, id: string): Promise<readonly number[] | null> {
  const [row] = await link.rows(selectRanks(names), [id]);
  return row === undefined ? null : (JSON.parse(row[0] as string) as number[]);
}
