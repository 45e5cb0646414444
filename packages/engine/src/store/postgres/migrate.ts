import { StoreError } from "../store-error.ts";
import type { Link, Statement, Transaction } from "./link.ts";
import type { Migration } from "./migrations/all.ts";
import type { Names } from "./names.ts";
import { perNames } from "./per-names.ts";
import { stateOf } from "./postgres-errors.ts";
import { checkNotTooNew, outdated, readState, thisBuild } from "./schema-state.ts";
import type { SchemaState, SchemaSupport } from "./schema-state.ts";
import { createSchema, createVersionTable, lockSchema, lockWorkers, oldWorkers } from "./schema-statements.ts";

/** SQLSTATE of a user who may not do that. */
const insufficientPrivilege = "42501";

export interface Migrated {
  /** The schema's version now. */
  readonly version: number;
  /** Numbers of the migrations that this call applied. */
  readonly applied: readonly number[];
  /** Why others were not, although this build works on the schema as it is; null: none is missing, or none was to be applied. */
  readonly held: StoreError | null;
}

/**
 * Brings a store to this build's schema (`apply`), or finds out whether this build can work on it as it is.
 *
 * Any number of processes may do so at once on an empty database. Each migration is one transaction, which takes a lock of the
 * schema's name first and then looks at what there is; the lock ends with the transaction, so it also holds behind a pooler.
 *
 * Throws `StoreError`: `store_too_new` and `store_not_a_store`; `store_outdated` where this build cannot work on the schema and
 * it could not be migrated, because the user may not, or because workers are at work that would break.
 */
export async function migrate(
  link: Link,
  names: Names,
  { apply, support = thisBuild }: { readonly apply: boolean; readonly support?: SchemaSupport },
): Promise<Migrated> {
  let state = await readState(link, names);
  checkNotTooNew(state, support);
  const applied: number[] = [];
  let held: StoreError | null = null;
  const target = apply ? support.migrations.length : 0;
  while (held === null && state.version < target) {
    const outcome = await applyNext(link, names, { state, support });
    ({ state, held } = outcome);
    if (outcome.applied !== null) applied.push(outcome.applied);
  }
  if (state.version < support.oldestSchema) throw held ?? outdated(state, support);
  return { version: state.version, applied, held };
}

/** What the migrations of this build would do to a store. */
export interface MigrationState {
  /** null: there is no store yet. */
  readonly version: number | null;
  readonly newest: number;
  readonly pending: readonly { readonly number: number; readonly title: string }[];
}

/** Compares a store with this build. Throws `store_too_new` and `store_not_a_store`. */
export async function migrationState(
  link: Link,
  names: Names,
  support: SchemaSupport = thisBuild,
): Promise<MigrationState> {
  const state = await readState(link, names);
  checkNotTooNew(state, support);
  const pending = support.migrations
    .map(({ title }, index) => ({ number: index + 1, title }))
    .filter(({ number }) => number > state.version);
  return { version: state.version === 0 ? null : state.version, newest: support.migrations.length, pending };
}

interface Outcome {
  readonly state: SchemaState;
  /** null: another process was faster, or it is held. */
  readonly applied: number | null;
  readonly held: StoreError | null;
}

interface Position {
  readonly state: SchemaState;
  readonly support: SchemaSupport;
}

/** A user without the rights to migrate may still be one who works on the store. */
async function applyNext(link: Link, names: Names, { state, support }: Position): Promise<Outcome> {
  try {
    return await link.transaction((transaction) => applyLocked(transaction, names, support));
  } catch (error) {
    if (stateOf(error) !== insufficientPrivilege) throw error;
    return { state, applied: null, held: outdated(state, support, error) };
  }
}

async function applyLocked(transaction: Transaction, names: Names, support: SchemaSupport): Promise<Outcome> {
  await transaction.run(lockSchema(names).join("; "));
  const state = await readState(transaction, names);
  checkNotTooNew(state, support);
  const migration = support.migrations[state.version];
  if (migration === undefined) return { state, applied: null, held: null };
  const number = state.version + 1;
  const held = await breaks(transaction, names, { migration, number, state });
  if (held !== null) return { state, applied: null, held };
  if (!state.hasSchema) await transaction.run(createSchema(names));
  if (state.version === 0) await transaction.run(createVersionTable(names));
  await transaction.run(migration.sql(names));
  const oldestBuild = Math.max(state.oldestBuild, migration.oldestBuild);
  await transaction.rows(writeVersion(names), [number, oldestBuild]);
  return { state: { ...state, hasSchema: true, version: number, oldestBuild }, applied: number, held: null };
}

const writeVersion = perNames(({ table, now }): Statement => {
  const text = `
insert into ${table("schema_version")} as s (version, oldest_build, changed_at) values ($1, $2, ${now})
on conflict (is_only) do update
set version = excluded.version, oldest_build = excluded.oldest_build, changed_at = excluded.changed_at`;
  return { name: "write_version", text };
});

const readOldWorkers = perNames((names): Statement => {
  return { name: "old_workers", text: `select name, host, pid, newest_schema ${oldWorkers(names, "$1::integer")}` };
});

interface Next {
  readonly migration: Migration;
  readonly number: number;
  readonly state: SchemaState;
}

/**
 * Why a migration has to wait: workers are at work that do not know it and must not go on after it. No worker can announce itself
 * while the table is locked, and one that does so afterwards is told that it is too old.
 */
async function breaks(transaction: Transaction, names: Names, next: Next): Promise<StoreError | null> {
  const { migration, number, state } = next;
  if (state.version === 0 || migration.oldestBuild <= state.oldestBuild) return null;
  await transaction.run(lockWorkers(names));
  const workers = await transaction.rows(readOldWorkers(names), [migration.oldestBuild]);
  if (workers.length === 0) return null;
  const list = (workers as readonly (readonly [string, string, number, number])[]).map(
    ([name, host, pid, newest]) => `\`${name}\` (process ${pid} on ${host}, knows ${newest})`,
  );
  return new StoreError(
    "store_outdated",
    `The ${state.place} has version ${state.version}, and migration ${number} (${migration.title}) has to wait: it would break ` +
      `workers that do not know version ${migration.oldestBuild}: ${list.join(", ")}. ` +
      "Stop or upgrade them, then run `braid migrate`.",
    { details: { version: state.version, migration: number, oldestBuild: migration.oldestBuild } },
  );
}
