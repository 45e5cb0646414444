import type { Names } from "./names.ts";

/** Statements of migrations, as they are sent to the server and as they are printed for whoever applies them by hand. */

/** A worker that was not seen for so long is not at work any more. */
const aliveMs = 120_000;

/**
 * What a transaction begins with that migrates: one at a time for a schema, until it ends. A migration may take its time, and
 * whoever waits for the lock waits for the migrations of others. A table, though, is not waited for long: all its users would
 * wait behind. A process that stalls in the middle loses the lock.
 */
export const lockSchema = ({ schemaText }: Names): readonly string[] => [
  "set local statement_timeout = 0",
  "set local idle_in_transaction_session_timeout = '10s'",
  "set local lock_timeout = '60s'",
  `select pg_advisory_xact_lock(hashtextextended('braid.schema.' || ${schemaText}, 0))`,
  "set local lock_timeout = '5s'",
];

export const createSchema = ({ schema }: Names): string => `create schema if not exists ${schema}`;

export const createVersionTable = ({ table }: Names): string => `
create table ${table("schema_version")} (
  changed_at bigint not null,
  version integer not null,
  oldest_build integer not null,
  is_only boolean not null default true primary key,
  constraint there_is_one_version check (is_only),
  constraint builds_that_work_on_it_know_a_version_up_to_it check (oldest_build between 1 and version)
)`;

export const lockWorkers = ({ table }: Names): string => `lock table ${table("workers")} in share row exclusive mode`;

/** The workers that are at work and do not know a version, from `from` on. */
export const oldWorkers = ({ table, now }: Names, version: string): string =>
  `from ${table("workers")} where newest_schema < ${version} and seen_at > ${now} - ${aliveMs} order by name, id`;
