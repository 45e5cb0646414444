import type { StoreSchema } from "../open-schema.ts";
import { grants } from "./grants.ts";
import { Link } from "./link.ts";
import { migrate, migrationState } from "./migrate.ts";
import { namesOf } from "./names.ts";
import { printMigrations } from "./print-migrations.ts";
import { readPostgresUrl } from "./url.ts";

/** Longest wait for an answer: a migration of a large store takes its time, and one waits for those of others. */
const deadlineMs = 3_600_000;

/** The schema of a store on PostgreSQL, over one connection, which is made when it is first needed. */
export function postgresSchema(url: string): StoreSchema {
  const { address, isPooled, display, schema } = readPostgresUrl(url);
  const names = namesOf(schema);
  const link = new Link({ address, isPooled, display, deadlineMs });
  return {
    url: display,
    state: () => migrationState(link, names),
    migrate: () => migrate(link, names, { apply: true }),
    print: (from) => printMigrations(names, from),
    grants: (role) => grants(names, role),
    close: () => link.close(),
  };
}
