import type { Store } from "../port.ts";
import { arrayOf } from "./link.ts";
import type { Link, Parameter, Statement, Transaction } from "./link.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";

type PrunePolicy = Parameters<Store["prune"]>[0];

/** So many runs are looked at by one query, whether they have expired or not. */
const pageSize = 2_000;

/** Before all ids. */
const noId = "00000000-0000-0000-0000-000000000000";

/** Statements differ for all runs and those of one workflow, so that each has an index to go by. */
type Scope = "all" | "workflow";

const ofScope = (scope: Scope): string => (scope === "all" ? "$1::text is null" : "workflow = $1");

/** The last run among the newest, `$2` of them after the first; there is none where there are fewer runs. */
const keptFrom = (scope: Scope) =>
  perNames(({ table }): Statement => {
    const text = `
select id from ${table("runs")}
where ${ofScope(scope)} and parent_run_id is null order by id desc limit 1 offset $2::bigint`;
    return { name: `prune_kept_${scope}`, text };
  });

/** One page of all runs, each with whether it has expired and was not started as a child. */
const page = (scope: Scope) =>
  perNames(({ table, now }): Statement => {
    const text = `
select id, parent_run_id is null and ${hasExpired(now)} from ${table("runs")}
where ${ofScope(scope)} and id > $4 order by id limit ${pageSize}`;
    return { name: `prune_page_${scope}`, text };
  });

const statements = {
  all: { keptFrom: keptFrom("all"), page: page("all") },
  workflow: { keptFrom: keptFrom("workflow"), page: page("workflow") },
};

const statementsFor = (workflow: string | undefined) => statements[workflow === undefined ? "all" : "workflow"];

/** `$2`: how long ago it must have ended, or null; `$3`: the first of the newest, which are kept, or null. */
const hasExpired = (now: string): string =>
  `finished_at is not null and (coalesce(finished_at < ${now} - $2::bigint, false) or coalesce(id < $3::uuid, false))`;

/** A run and everything below it. */
const family = ({ table }: Names): string => `
with recursive family (id) as (
  select $1::uuid union select r.id from ${table("runs")} r join family f on r.parent_run_id = f.id
)`;

/** Locks the runs of a family, in order of their ids. */
const lockFamily = perNames((names): Statement => {
  const text = `${family(names)}
select r.id from ${names.table("runs")} r where r.id in (select id from family) order by r.id for update`;
  return { name: "prune_lock", text };
});

/** Ids of a family whose root has expired and all whose runs have ended. */
const readFamily = perNames((names): Statement => {
  const runs = names.table("runs");
  const text = `${family(names)}
select r.id from family f join ${runs} r on r.id = f.id
where not exists (select from family f join ${runs} r on r.id = f.id where r.finished_at is null)
  and exists (select from ${runs} where id = $1 and ${hasExpired(names.now)})
order by r.id`;
  return { name: "prune_family", text };
});

/** Tables with rows of runs that do not refer to them; signals go with their run. */
const tablesOfRuns = ["run_payloads", "steps", "step_items", "trace_events", "limit_slots", "logs"];

const deleteRuns = perNames(({ table }): Statement => {
  const deletions = tablesOfRuns.map(
    (name) => `${name}_gone as (delete from ${table(name)} where run_id = any($1::uuid[]))`,
  );
  const text = `with ${deletions.join(", ")} delete from ${table("runs")} where id = any($1::uuid[])`;
  return { name: "prune_delete", text };
});

/**
 * Deletes runs that have expired, each with its children in a transaction of its own, so that others are never held up for long.
 *
 * The runs of a family are locked first, in order of ids as everywhere, and then read again with a new snapshot: whoever changed
 * one of them in between has made it one that has not expired, or is seen with all that it wrote.
 */
export async function prune(link: Link, names: Names, policy: PrunePolicy): Promise<readonly string[]> {
  const { workflow, dryRun } = policy;
  const expiry = await expiryOf(link, names, policy);
  if (expiry === null) return [];
  const pruned: string[] = [];
  const statement = statementsFor(workflow).page(names);
  for (let after = noId; ;) {
    const rows = await link.rows(statement, [workflow ?? null, ...expiry, after]);
    for (const [root] of rows.filter(([, isExpired]) => isExpired)) {
      const key = [root as string, ...expiry];
      pruned.push(...(dryRun === true ? await familyOf(link, names, key) : await deleteFamily(link, names, key)));
    }
    if (rows.length < pageSize) return pruned;
    after = rows.at(-1)![0] as string;
  }
}

type Expiry = readonly [olderThanMs: number | null, keptFrom: string | null];

/** Null: nothing expires. */
async function expiryOf(
  link: Link,
  names: Names,
  { olderThanMs, keep, workflow }: PrunePolicy,
): Promise<Expiry | null> {
  const age = olderThanMs === undefined ? null : whole(olderThanMs);
  if (keep === undefined) return age === null ? null : [age, null];
  if (keep <= 0) return [age, lastId];
  const [row] = await link.rows(statementsFor(workflow).keptFrom(names), [workflow ?? null, whole(keep) - 1]);
  const from = row === undefined ? null : (row[0] as string);
  return age === null && from === null ? null : [age, from];
}

/** After all ids. */
const lastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

const whole = (value: number): number => Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER);

async function familyOf(on: Link | Transaction, names: Names, key: readonly Parameter[]): Promise<readonly string[]> {
  const rows = await on.rows(readFamily(names), key);
  return rows.map(([id]) => id as string);
}

async function deleteFamily(link: Link, names: Names, key: readonly Parameter[]): Promise<readonly string[]> {
  return link.transaction(async (transaction) => {
    const locked = new Set((await transaction.rows(lockFamily(names), key.slice(0, 1))).map(([id]) => id));
    const ids = await familyOf(transaction, names, key);
    // A child that has come since then is not locked: the family is left to the next time.
    if (ids.length === 0 || ids.some((id) => !locked.has(id))) return [];
    await transaction.rows(deleteRuns(names), [arrayOf(ids)]);
    return ids;
  });
}
