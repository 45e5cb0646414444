import type { Migrated, MigrationState } from "./postgres/migrate.ts";

/** The tables of a store that is migrated by hand: what `braid migrate` does. */
export interface StoreSchema {
  /** The URL of the store without its password. */
  readonly url: string;
  /** Compares the store with this build. Throws `store_too_new` and `store_not_a_store`. */
  state(): Promise<MigrationState>;
  /** Applies what is missing. Throws where this build could not work on the store afterwards. */
  migrate(): Promise<Migrated>;
  /** The migrations after version `from` (0: all) as a script for psql. */
  print(from: number): string;
  /** The least rights of a role that works on the store, as statements for its owner. */
  grants(role: string): string;
  close(): Promise<void>;
}

/** The schema of the store that a URL names; null for stores that nobody migrates by hand: SQLite and memory. */
export async function openSchema(url: string): Promise<StoreSchema | null> {
  if (!/^postgres(?:ql)?:/i.test(url)) return null;
  // Its modules and its driver are loaded only where they are used.
  const { postgresSchema } = await import("./postgres/schema.ts");
  return postgresSchema(url);
}
