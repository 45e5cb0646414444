import type { Names } from "./names.ts";

/** What a worker does to the rows of each table; it also reads every one. */
const writes: readonly (readonly [tables: readonly string[], rights: string])[] = [
  [["runs", "run_payloads", "steps", "step_items", "signals", "workers"], "insert, update, delete"],
  [["run_groups", "limits"], "insert, update"],
  [["trace_events", "limit_slots", "logs"], "insert, delete"],
  [["workflows", "ranks"], "insert"],
];

/**
 * The least that a role needs to work on a store that belongs to another: as a worker, and for all that `braid` does except
 * `braid migrate`. To be run by the owner, again after each migration.
 */
export function grants({ schema, table }: Names, role: string): string {
  const quoted = `"${role.replaceAll('"', '""')}"`;
  const onTables = writes.map(([tables, rights]) => {
    return `grant ${rights} on ${tables.map((name) => table(name)).join(", ")} to ${quoted};`;
  });
  return [
    `grant usage on schema ${schema} to ${quoted};`,
    `grant select on all tables in schema ${schema} to ${quoted};`,
    ...onTables,
    "",
  ].join("\n");
}
