import type { Store } from "../port.ts";
import type { Connection } from "./connection.ts";

type PrunePolicy = Parameters<Store["prune"]>[0];

/** A run that nobody started as a child, with the newest first; `place` counts from 1 over all of them, running or not. */
const expired = `
with ranked as (
  select id, status, finished_at, row_number() over (order by id desc) as place
  from runs where parent_run_id is null and (?1 is null or workflow = ?1)
)
select id from ranked
where finished_at is not null and (finished_at < ?2 or place > ?3)
order by id`;

/** A run and everything below it. */
const family = `
with recursive family (id) as (
  select ?1 union select r.id from runs r join family f on r.parent_run_id = f.id
)
select r.id, r.finished_at from runs r join family using (id) order by r.id`;

/** Rates that would allow any start: the same as none, and names of limits may be made from data. */
const anySpent = "select 1 from limits where tat <= ?";
const forgetSpent = "delete from limits where tat <= ?";

/** Deletes one run with its children at a time, so that other processes are never held up for long. */
export async function prune(
  connection: Connection,
  policy: PrunePolicy,
  now: () => number,
): Promise<readonly string[]> {
  const { olderThanMs, keep, workflow, dryRun } = policy;
  const before = olderThanMs === undefined ? null : now() - olderThanMs;
  const roots = await connection.read(() => connection.rows(expired, [workflow ?? null, before, keep ?? null]));
  const deleted: string[] = [];
  for (const [root] of roots) {
    const readFamily = (): readonly string[] => {
      const members = connection.rows(family, [root!]);
      return members.some(([, finishedAt]) => finishedAt === null) ? [] : members.map(([id]) => id as string);
    };
    const removeFamily = (): readonly string[] => {
      const ids = readFamily();
      for (const id of ids) connection.run("delete from runs where id = ?", [id]);
      return ids;
    };
    deleted.push(...(await (dryRun === true ? connection.read(readFamily) : connection.write(removeFamily))));
  }
  if (dryRun !== true && (await connection.read(() => connection.row(anySpent, [now()]))) !== undefined) {
    await connection.write(() => connection.run(forgetSpent, [now()]), "lazy");
  }
  return deleted;
}
