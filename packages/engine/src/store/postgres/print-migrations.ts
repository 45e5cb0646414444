import type { Names } from "./names.ts";
import type { Migration } from "./migrations/all.ts";
import { thisBuild } from "./schema-state.ts";
import type { SchemaSupport } from "./schema-state.ts";
import { createSchema, createVersionTable, lockSchema, lockWorkers, oldWorkers } from "./schema-statements.ts";

/**
 * The migrations after `from` (0: all) as one transaction for psql, for those who apply them by hand. It takes the same lock as
 * `migrate`, and fails if the store does not have version `from`, or if workers are at work that would break.
 */
export function printMigrations(names: Names, from: number, support: SchemaSupport = thisBuild): string {
  const pending = support.migrations.slice(from);
  if (pending.length === 0) return `-- Nothing to do: this build knows versions up to ${support.migrations.length}.\n`;
  const parts = [
    `-- Brings the store in schema ${names.schema} from version ${from} to ${support.migrations.length}.`,
    ["begin", ...lockSchema(names)].map((statement) => `${statement};`).join("\n"),
    from === 0 ? `${createSchema(names)};\n${createVersionTable(names)};` : checkVersion(names, from),
    ...pending.map((migration, index) => printOne(names, { migration, number: from + index + 1, isFirst: from === 0 })),
    writeVersion(names, support.migrations),
    "commit;",
  ];
  return `${parts.join("\n\n")}\n`;
}

interface Numbered {
  readonly migration: Migration;
  readonly number: number;
  /** Whether the store is made by the same transaction, so that nobody works on it yet. */
  readonly isFirst: boolean;
}

function printOne(names: Names, { migration, number, isFirst }: Numbered): string {
  const head = `-- Migration ${number}: ${migration.title}.`;
  const sql = migration.sql(names).trim();
  return isFirst || migration.oldestBuild < number
    ? `${head}\n${sql}`
    : `${head}\n${checkWorkers(names, number)}\n${sql}`;
}

const checkVersion = ({ table }: Names, from: number): string =>
  failIf(
    `not exists (select from ${table("schema_version")} where version = ${from})`,
    `the store does not have version ${from}`,
  );

function checkWorkers(names: Names, number: number): string {
  const found = `exists (select ${oldWorkers(names, String(number))})`;
  return `${lockWorkers(names)};\n${failIf(found, `workers are at work that do not know version ${number}`)}`;
}

/** The body is a text literal, because the names in it may hold any dollar quote. */
function failIf(condition: string, message: string): string {
  const body = `begin if ${condition} then raise exception '${message}'; end if; end`;
  return `do '${body.replaceAll("'", "''")}';`;
}

function writeVersion({ table, now }: Names, migrations: readonly Migration[]): string {
  const oldestBuild = Math.max(...migrations.map((migration) => migration.oldestBuild));
  return `insert into ${table("schema_version")} (version, oldest_build, changed_at)
values (${migrations.length}, ${oldestBuild}, ${now})
on conflict (is_only) do update
set version = excluded.version, oldest_build = excluded.oldest_build, changed_at = excluded.changed_at;`;
}
