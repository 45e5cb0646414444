import { StoreError } from "../store-error.ts";
import type { Link, Statement, Transaction } from "./link.ts";
import { migrations, oldestSchema } from "./migrations/all.ts";
import type { Migration } from "./migrations/all.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";

/** The schemas that a build knows. */
export interface SchemaSupport {
  /** All that it can apply; migration n is the nth. */
  readonly migrations: readonly Migration[];
  /** The oldest schema that it can work on. */
  readonly oldestSchema: number;
}

export const thisBuild: SchemaSupport = { migrations, oldestSchema };

/** What there is of a store. */
export interface SchemaState {
  readonly hasSchema: boolean;
  /** Number of the newest migration that was applied; 0: there is no store yet. */
  readonly version: number;
  /** The oldest schema that a build must know to work on this one. */
  readonly oldestBuild: number;
  /** Where it is, for messages: schema and database. */
  readonly place: string;
}

/** The columns tell our table from one of the same name. What belongs to an extension is nobody's table. */
const look = perNames(({ schemaText }): Statement => {
  const text = `
select current_database(), n.oid is not null,
  exists (
    select from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'oldest_build' and not a.attisdropped
    where c.relnamespace = n.oid and c.relname = 'schema_version' and c.relkind = 'r'
  ),
  exists (
    select from pg_catalog.pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f') and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
  )
from (select) one left join pg_catalog.pg_namespace n on n.nspname = ${schemaText}`;
  return { name: "look_at_schema", text };
});

const readVersion = perNames(({ table }): Statement => {
  return { name: "read_version", text: `select version, oldest_build from ${table("schema_version")}` };
});

/** Looks at what there is. Throws `store_not_a_store` where the schema holds tables of somebody else. */
export async function readState(on: Link | Transaction, names: Names): Promise<SchemaState> {
  const [row] = await on.rows(look(names));
  const [database, hasSchema, isOurs, hasTables] = row as [string, boolean, boolean, boolean];
  const place = `schema \`${names.schema.slice(1, -1).replaceAll('""', '"')}\` of database \`${database}\``;
  if (!isOurs && hasTables) {
    throw new StoreError(
      "store_not_a_store",
      `The ${place} holds tables of another program. Name another schema in the store URL: \`?schema=NAME\`.`,
    );
  }
  if (!isOurs) return { hasSchema, version: 0, oldestBuild: 0, place };
  const [versions] = await on.rows(readVersion(names));
  const [version, oldestBuild] = (versions ?? [0, 0]) as [number, number];
  return { hasSchema, version, oldestBuild, place };
}

/** Throws `store_too_new` where a build of this support could do harm. */
export function checkNotTooNew(
  { version, oldestBuild, place }: SchemaState,
  { migrations: known }: SchemaSupport,
): void {
  if (oldestBuild <= known.length) return;
  throw new StoreError(
    "store_too_new",
    `The ${place} has version ${version}, which only builds that know version ${oldestBuild} can work on; ` +
      `this build knows versions up to ${known.length}. Use a newer build, or another schema.`,
    { details: { version, oldestBuild, supported: known.length } },
  );
}

/** What a store says that has to be migrated before this build can work on it, and was not. */
export function outdated({ version, place }: SchemaState, support: SchemaSupport, cause?: unknown): StoreError {
  const found = version === 0 ? `The ${place} holds no store yet` : `The ${place} has version ${version}`;
  return new StoreError(
    "store_outdated",
    `${found}; this build works on versions from ${support.oldestSchema} to ${support.migrations.length}. ` +
      "Run `braid migrate` as a user who may create tables there.",
    { details: { version, oldest: support.oldestSchema, newest: support.migrations.length }, cause },
  );
}
