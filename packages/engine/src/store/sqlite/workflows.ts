import type { JsonObject, JsonValue, Plan } from "@braid/core";
import { meanDurations, sampledRuns } from "../durations.ts";
import type { DurationSample } from "../durations.ts";
import type { StoredWorkflow, WorkflowRecord } from "../records.ts";
import { encodeJson } from "../storable.ts";
import type { Connection } from "./connection.ts";

const findVersion = "select version from workflows where name = ? and hash = ?";
const insertWorkflow = `
insert into workflows (name, version, hash, definition, plan, kernel_version, created_at)
values (?1, (select coalesce(max(version), 0) + 1 from workflows where name = ?1), ?2, ?3, ?4, ?5, ?6)
returning version`;

/** Keeps the plan under the next version of its name, or finds the version that has the same hash. */
export async function putWorkflow(
  connection: Connection,
  { name, hash, definition, plan }: WorkflowRecord,
  now: () => number,
): Promise<{ readonly version: number }> {
  const find = (): number | undefined => connection.row(findVersion, [name, hash])?.[0] as number | undefined;
  const known = await connection.read(find);
  if (known !== undefined) return { version: known };
  const texts = [encodeJson(definition, "the definition"), encodeJson(plan, "the plan")];
  return connection.write(() => {
    const cells = [name, hash, ...texts, plan.planVersion, now()];
    return { version: find() ?? (connection.row(insertWorkflow, cells)![0] as number) };
  });
}

const columns = "version, hash, definition, plan, created_at";
const newestVersion = `select ${columns} from workflows where name = ? order by version desc limit 1`;
const oneVersion = `select ${columns} from workflows where name = ? and version = ?`;

export function getWorkflow(connection: Connection, name: string, version?: number): StoredWorkflow | null {
  const cells =
    version === undefined ? connection.row(newestVersion, [name]) : connection.row(oneVersion, [name, version]);
  if (cells === undefined) return null;
  const [found, hash, definition, plan, createdAt] = cells as [number, string, string, string, number];
  return {
    name,
    version: found,
    hash,
    definition: JSON.parse(definition) as JsonValue,
    plan: JSON.parse(plan) as Plan,
    createdAt,
  };
}

const stepDurations = `
with sample as (
  select id, workflow_version from runs where workflow = ? and status = 'completed' order by id desc limit ${sampledRuns}
)
select r.workflow_version, s.step_index, sum(s.finished_at - s.started_at), count(*)
from sample r join steps s on s.run_id = r.id and s.task_index = -1
where s.status = 'completed' and s.started_at is not null
group by r.workflow_version, s.step_index`;

export function durations(connection: Connection, workflow: string): JsonObject {
  const samples = connection.rows(stepDurations, [workflow]).map((cells): DurationSample => {
    const [workflowVersion, step, totalMs, count] = cells as [number, number, number, number];
    return { workflowVersion, step, totalMs, count };
  });
  return meanDurations(samples, (version) => getWorkflow(connection, workflow, version)?.plan);
}

export async function putRanks(connection: Connection, id: string, ranks: readonly number[]): Promise<void> {
  const text = encodeJson(ranks, "the ranks");
  await connection.write(() =>
    connection.run("insert into ranks (id, ranks) values (?, ?) on conflict do nothing", [id, text]),
  );
}

export function getRanks(connection: Connection, id: string): readonly number[] | null {
  const cells = connection.row("select ranks from ranks where id = ?", [id]);
  return cells === undefined ? null : (JSON.parse(cells[0] as string) as number[]);
}
