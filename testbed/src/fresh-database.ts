import { randomUUID } from "node:crypto";
import { escapeIdentifier } from "pg";
import { runStatement } from "./run-statement.ts";

/** A database that nobody else uses. */
export interface FreshDatabase {
  readonly name: string;
  /** Leads to the database on the way that was asked for: directly, through a pooler or a proxy. */
  readonly url: string;
  /** Removes it, and ends the sessions that still use it. */
  readonly drop: () => Promise<void>;
}

/** Creates a database with a name of its own on the server that `url` leads to, with the rights of the user in it. */
export async function freshDatabase(url: string): Promise<FreshDatabase> {
  const name = `braid_${randomUUID().replaceAll("-", "")}`;
  await runStatement(url, `CREATE DATABASE ${escapeIdentifier(name)}`);
  return {
    name,
    url: withDatabase(url, name),
    drop: async () => await runStatement(url, `DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`),
  };
}

/** The same connection string with another database. */
export function withDatabase(url: string, database: string): string {
  const result = new URL(url);
  result.pathname = `/${encodeURIComponent(database)}`;
  return result.href;
}
