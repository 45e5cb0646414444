import type { Names } from "../names.ts";
import { first } from "./0001-first.ts";
import { views } from "./0002-views.ts";

/** One numbered change of the schema, applied in one transaction together with its number, and never changed once released. */
export interface Migration {
  /** What it is for, in a few words. */
  readonly title: string;
  readonly sql: (names: Names) => string;
  /**
   * The oldest schema version that a build must know to go on working after this migration: its own number if workers that do not
   * know it could do harm, else the number that held before. It is applied only once no older worker is at work.
   */
  readonly oldestBuild: number;
}

/** Migration n is `migrations[n - 1]`. */
export const migrations: readonly Migration[] = [
  { title: "tables", sql: first, oldestBuild: 1 },
  { title: "views for plain SQL", sql: views, oldestBuild: 1 },
];

/** The schema that this build brings a store to, and the newest that it knows. */
export const newestSchema = migrations.length;

/** The oldest schema that this build can work on. */
export const oldestSchema = 2;
