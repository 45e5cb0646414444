import type { Engine, EngineOptions } from "../engine.ts";
import { ScratchLinks } from "../store/postgres/scratch-links.ts";
import { createEngine } from "./create-engine.ts";
import type { EngineParts } from "./create-engine.ts";

/** Engines of a test in one database, each with a store of its own, as if it were a process of its own. */
export class ScratchEngines {
  readonly scratch: ScratchLinks;
  readonly #engines: Engine[] = [];
  #isMade = false;

  constructor(server: { readonly url: string }) {
    this.scratch = new ScratchLinks(server);
  }

  /** Begins with an empty store. It stays in one database, because making one takes longer than most tests. */
  async next(): Promise<void> {
    await this.close();
    if (!this.#isMade) await this.scratch.next();
    this.#isMade = true;
    const tables = await this.scratch.query(
      `select tablename from pg_tables where schemaname = 'braid' and tablename <> 'schema_version'
       order by tablename = 'workflows', tablename = 'runs'`,
    );
    for (const [table] of tables) await this.scratch.query(`delete from ${table as string}`);
  }

  get url(): string {
    return this.scratch.url;
  }

  /** The same database on another way to the server. */
  directUrl(server: string): string {
    const url = new URL(server);
    url.pathname = this.scratch.database;
    return url.href;
  }

  /** An engine whose leases are short. Trouble that it cures by itself is no news. */
  async engine(options: EngineOptions & EngineParts = {}): Promise<Engine> {
    const engine = await createEngine({
      store: this.url,
      leaseMs: 5_000,
      graceMs: 1_000,
      onTrouble: () => {},
      ...options,
    });
    this.#engines.push(engine);
    return engine;
  }

  /** As many engines with the same options. */
  engines(count: number, options: EngineOptions & EngineParts = {}): Promise<Engine[]> {
    return Promise.all(Array.from({ length: count }, () => this.engine(options)));
  }

  /** Ends the engines. */
  async close(): Promise<void> {
    await Promise.all(this.#engines.splice(0).map((engine) => engine.close().catch(() => {})));
  }

  /** Ends everything. */
  async clear(): Promise<void> {
    await this.close();
    await this.scratch.remove();
    this.#isMade = false;
  }
}
