/** Names of a store's tables and its clock, as statements write them. */
export interface Names {
  /** A table or view in the store's schema, quoted. */
  readonly table: (name: string) => string;
  /** The schema, quoted. */
  readonly schema: string;
  /** The schema as a text literal. */
  readonly schemaText: string;
  /**
   * The database's clock in milliseconds since 1970, as an SQL expression. It is the start of the statement, not of its transaction,
   * which may have waited for a lock; nor is it the present, so a statement that had to wait itself never takes a lease for ended
   * that was renewed meanwhile.
   */
  readonly now: string;
}

/** In floating point, which is exact to a quarter of a microsecond until 2255, and a third of the work of `extract`. */
const databaseClock = "floor(date_part('epoch', statement_timestamp()) * 1000)::bigint";

export function namesOf(schema: string, now: string = databaseClock): Names {
  const quoted = `"${schema.replaceAll('"', '""')}"`;
  return {
    schema: quoted,
    schemaText: `'${schema.replaceAll("'", "''")}'`,
    now,
    table: (name) => `${quoted}.${name}`,
  };
}
