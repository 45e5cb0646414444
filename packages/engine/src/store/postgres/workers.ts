import { StoreError } from "../store-error.ts";
import type { WorkerRecord } from "../records.ts";
import { checkText, encodeJson } from "../storable.ts";
import type { Link, Statement } from "./link.ts";
import { newestSchema, oldestSchema } from "./migrations/all.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { refusing } from "../refusing.ts";

/**
 * Does nothing if the schema has been brought to a version on which the worker could do harm. A migration that would break
 * workers locks the table and looks for them, so a worker is either seen by it or sees it.
 */
const upsert = perNames(({ table, now }): Statement => {
  const text = `
insert into ${table("workers")} as w
  (id, host, pid, started_at, name, queues, resources, oldest_schema, newest_schema, seen_at)
select $1, $2, $3::integer, $4::bigint, $5, $6::json, $7::json, $8::integer, $9::integer, ${now}
where not exists (select from ${table("schema_version")} where oldest_build > $9::integer)
on conflict (id) do update set
  host = excluded.host, pid = excluded.pid, started_at = excluded.started_at, name = excluded.name,
  queues = excluded.queues, resources = excluded.resources, oldest_schema = excluded.oldest_schema,
  newest_schema = excluded.newest_schema, seen_at = excluded.seen_at
returning id`;
  return { name: "put_worker", text };
});

/** The schemas that a worker works on. */
export interface SchemaRange {
  readonly oldest: number;
  readonly newest: number;
}

const ownRange: SchemaRange = { oldest: oldestSchema, newest: newestSchema };

/**
 * Announces or refreshes a worker. Throws `store_too_new` if the schema was migrated to a version that this build must not work
 * on: the worker has to end, and loses its leases.
 */
export async function putWorker(
  link: Link,
  names: Names,
  { schemas: { oldest, newest } = ownRange, ...worker }: WorkerRecord & { readonly schemas?: SchemaRange },
): Promise<void> {
  const { id, host, pid, startedAt, name, queues, resources } = worker;
  const cells = refusing(() => [
    checkText(id, "the id of a worker"),
    checkText(host, "the host of a worker"),
    pid,
    Math.floor(startedAt),
    checkText(name, "the name of a worker"),
    encodeJson(queues, "the queues of a worker"),
    encodeJson(resources, "the resources of a worker"),
    oldest,
    newest,
  ]);
  const rows = await link.rows(upsert(names), cells);
  if (rows.length > 0) return;
  throw new StoreError(
    "store_too_new",
    `The store was migrated to a schema that this build, which knows versions up to ${newest}, must not work on. Use a newer build.`,
    { details: { supported: newest } },
  );
}

const remove = perNames(({ table }): Statement => {
  return { name: "remove_worker", text: `delete from ${table("workers")} where id = $1` };
});

export async function removeWorker(link: Link, names: Names, worker: string): Promise<void> {
  await link.rows(remove(names), [worker]);
}

/** In order of code units, as everywhere; the database may have another order of texts. */
const list = perNames(({ table }): Statement => {
  const text = `
select id, host, pid, started_at, name, queues, resources, seen_at from ${table("workers")} order by id collate "C"`;
  return { name: "list_workers", text };
});

export async function listWorkers(
  link: Link,
  names: Names,
): Promise<readonly (WorkerRecord & { readonly seenAt: number })[]> {
  const rows = await link.rows(list(names));
  return rows.map((row) => {
    const [id, host, pid, startedAt, name, queues, resources, seenAt] = row as [
      string,
      string,
      number,
      number,
      string,
      string,
      string,
      number,
    ];
    return {
      id,
      host,
      pid,
      startedAt,
      name,
      queues: JSON.parse(queues) as string[],
      resources: JSON.parse(resources) as WorkerRecord["resources"],
      seenAt,
    };
  });
}
