import { setTimeout as pause } from "node:timers/promises";
import type Libsql from "libsql";
import type { Cell } from "../codec.ts";
import { StoreError } from "../store-error.ts";
import { isBusy, toStoreError } from "./sqlite-errors.ts";

/**
 * - `durable`: on disk before the call answers (`synchronous=FULL`, one fsync)
 * - `lazy`: safe from the death of any process, and on disk with the next durable write; losing it with the machine's power
 *   costs a repetition at most (a claim, a heartbeat, log lines)
 */
export type Durability = "durable" | "lazy";

export type CellRow = readonly Cell[];

/** SQLite's own waiting blocks the whole process, so it is short; longer waiting is done here, between attempts. */
const blockingWaitMs = 10;

const longestPauseMs = 40;

/** So many writers share a transaction at most: the others of the process, and other processes, wait no longer than that. */
const largestGroup = 256;

/** One writer that waits for its turn. */
interface Writer {
  readonly body: () => unknown;
  readonly durability: Durability;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One connection of one process. A body of `read` or `write` is synchronous: it sees one snapshot, and nothing of this
 * process can come between its statements.
 *
 * Writers of this process stand in line. Those that came in the same turn, or while the one before was waiting, share one
 * transaction and so one fsync, each in a savepoint of its own: a hundred runs created at once cost one wait for the disk,
 * not a hundred. Between processes SQLite's lock decides.
 */
export class Connection {
  readonly path: string;
  readonly #database: Libsql.Database;
  /** By how they are run: `all` leaves a statement at its end, and `get` after that would keep the values of `all`. */
  readonly #queries = new Map<string, Libsql.Statement>();
  readonly #lookUps = new Map<string, Libsql.Statement>();
  readonly #changes = new Map<string, Libsql.Statement>();
  readonly #patienceMs: number;
  #durability: Durability | null = null;
  #line: Writer[] = [];
  #serving: Promise<void> | null = null;
  #isOpen = true;

  constructor(database: Libsql.Database, path: string, patienceMs: number) {
    this.#database = database;
    this.path = path;
    this.#patienceMs = patienceMs;
    this.execute(`pragma busy_timeout = ${blockingWaitMs}`);
  }

  /** Runs statements that take no parameters and whose answers nobody needs. */
  execute(sql: string): void {
    this.#database.exec(sql);
  }

  /** All rows of a query. Statements are prepared once, so `sql` must come from a bounded set of texts. */
  rows(sql: string, cells: readonly Cell[] = []): readonly CellRow[] {
    return this.#prepared(this.#queries, sql).all(checked(cells)) as CellRow[];
  }

  /** The first row of a query, or undefined. For one that has a single row this is twice as fast as `rows`. */
  row(sql: string, cells: readonly Cell[] = []): CellRow | undefined {
    const statement = this.#prepared(this.#lookUps, sql);
    try {
      return statement.get(checked(cells)) as CellRow | undefined;
    } catch (error) {
      // `get` does not begin with a reset. After an error the statement would be run with the values it had before.
      this.#lookUps.delete(sql);
      throw error;
    }
  }

  /** Runs a change and gives the number of rows it changed. */
  run(sql: string, cells: readonly Cell[] = []): number {
    return this.#prepared(this.#changes, sql).run(checked(cells)).changes;
  }

  /** Runs what takes its own locks, outside a transaction. */
  async alone<Value>(body: () => Value): Promise<Value> {
    return this.#patiently(body);
  }

  /** Runs several queries on one snapshot. */
  async read<Value>(body: () => Value): Promise<Value> {
    return this.#patiently(() => this.#transaction("begin", body));
  }

  /** Runs a body that writes, in a transaction. One that throws leaves nothing behind. */
  write<Value>(body: () => Value, durability: Durability = "durable"): Promise<Value> {
    const written = new Promise<unknown>((resolve, reject) => {
      this.#line.push({ body, durability, resolve, reject });
    });
    this.#serving ??= this.#serve();
    return written as Promise<Value>;
  }

  /**
   * Ends the connection after the writers in line. libsql keeps the file open until the last statement is collected as
   * garbage, so the log is folded into the file here: whoever copies or moves it afterwards has everything.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    await this.#serving;
    this.#isOpen = false;
    try {
      this.rows("pragma wal_checkpoint(truncate)");
    } catch (error) {
      // Another process is using the log, or the disk is full: the log stays beside the file, and that is as good.
      if (!isBusy(error) && !(toStoreError(error, this.path) instanceof StoreError)) throw error;
    }
    for (const statements of [this.#queries, this.#lookUps, this.#changes]) statements.clear();
    this.#database.close();
  }

  async #serve(): Promise<void> {
    // Whoever else writes in this turn comes along.
    await Promise.resolve();
    while (this.#line.length > 0) await this.#serveGroup(this.#line.splice(0, largestGroup));
    this.#serving = null;
  }

  async #serveGroup(writers: readonly Writer[]): Promise<void> {
    const durability = writers.some((writer) => writer.durability === "durable") ? "durable" : "lazy";
    try {
      const outcomes = await this.#patiently(() => {
        this.#setDurability(durability);
        return this.#transaction("begin immediate", () => this.#outcomes(writers));
      });
      // Nobody is told of anything before all of it is on disk.
      for (const [index, writer] of writers.entries()) outcomes[index]!(writer);
    } catch (error) {
      for (const { reject } of writers) reject(error);
    }
  }

  /** What to tell each writer once the transaction is committed. */
  #outcomes(writers: readonly Writer[]): readonly ((writer: Writer) => void)[] {
    if (writers.length === 1) {
      const value = writers[0]!.body();
      return [({ resolve }) => resolve(value)];
    }
    return writers.map(({ body }) => {
      this.#database.exec("savepoint one_writer");
      try {
        const value = body();
        return ({ resolve }) => resolve(value);
      } catch (error) {
        // Without the transaction there is nothing left to go on with for the others either.
        if (!this.#database.inTransaction) throw error;
        this.#database.exec("rollback to one_writer");
        const reason = toStoreError(error, this.path);
        return ({ reject }) => reject(reason);
      } finally {
        if (this.#database.inTransaction) this.#database.exec("release one_writer");
      }
    });
  }

  #transaction<Value>(begin: string, body: () => Value): Value {
    this.#database.exec(begin);
    try {
      const value = body();
      this.#database.exec("commit");
      return value;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#database.inTransaction) this.#database.exec("rollback");
      throw error;
    }
  }

  #setDurability(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#database.exec(durability === "durable" ? "pragma synchronous = full" : "pragma synchronous = normal");
    this.#durability = durability;
  }

  /** Repeats what found the file locked, without holding up the rest of the process, for as long as patience lasts. */
  async #patiently<Value>(attempt: () => Value): Promise<Value> {
    const start = performance.now();
    for (let attempts = 1; ; attempts += 1) {
      if (!this.#isOpen) throw new StoreError("store_closed", `The store \`${this.path}\` is closed.`);
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || performance.now() - start > this.#patienceMs) throw toStoreError(error, this.path);
      }
      // Chance keeps processes that wait for the same lock from asking in step.
      await pause(Math.random() * Math.min(longestPauseMs, 2 ** attempts));
    }
  }

  #prepared(statements: Map<string, Libsql.Statement>, sql: string): Libsql.Statement {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      if (statements !== this.#changes) statement.raw(true);
      statements.set(sql, statement);
    }
    return statement;
  }
}

/** libsql ends the process when it is given a boolean, so a caller without types must not get that far. */
function checked(cells: readonly Cell[]): Cell[] {
  for (const cell of cells) {
    if (cell === null || typeof cell === "string" || typeof cell === "number") continue;
    throw new TypeError(`a column holds a text, a number or null, not a ${typeof cell}`);
  }
  return cells as Cell[];
}
