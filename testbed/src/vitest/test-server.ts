/** One way to a PostgreSQL server that tests have to pass on. */
export interface TestServer {
  /** Says what a failed test was connected to: "PostgreSQL 18 through pgbouncer". */
  readonly name: string;
  /** Connection string of a superuser, or of whoever `BRAID_TEST_POSTGRES_URL` names, with the right to create databases. */
  readonly url: string;
  /** Leads past the pooler to the same server, for LISTEN. Equal to `url` where there is no pooler. */
  readonly directUrl: string;
  /** True if a pooler in transaction mode is in between. */
  readonly isPooled: boolean;
  /** Set if there is no such server here; the connection strings are empty then. */
  readonly absence?: Absence;
}

export interface Absence {
  readonly reason: string;
  /** What to do about it. */
  readonly advice: string;
  /** True if its tests have to fail, false if they are skipped. */
  readonly isFailure: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    /** What the global set-up has started, for every test of the project `postgres`. */
    postgresServers: readonly TestServer[];
  }
}
