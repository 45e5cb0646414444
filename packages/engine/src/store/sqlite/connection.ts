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

/**
 * One connection of one process. A body of `read` or `write` is synchronous: it sees one snapshot, and nothing of this
 * process can come between its statements. Writers of this process stand in line; between processes SQLite's lock decides.
 */
export class Connection {
  readonly path: string;
  readonly #database: Libsql.Database;
  readonly #statements = new Map<string, Libsql.Statement>();
  readonly #patienceMs: number;
  #durability: Durability | null = null;
  #line: Promise<unknown> = Promise.resolve();
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
    return this.#statement(sql, true).all(checked(cells)) as CellRow[];
  }

  /** The first row of a query, or undefined. */
  row(sql: string, cells: readonly Cell[] = []): CellRow | undefined {
    return this.rows(sql, cells)[0];
  }

  /** Runs a change and gives the number of rows it changed. */
  run(sql: string, cells: readonly Cell[] = []): number {
    return this.#statement(sql, false).run(checked(cells)).changes;
  }

  /** Runs what takes its own locks, outside a transaction. */
  async alone<Value>(body: () => Value): Promise<Value> {
    return this.#patiently(body);
  }

  /** Runs several queries on one snapshot. */
  async read<Value>(body: () => Value): Promise<Value> {
    return this.#patiently(() => this.#transaction("begin", body));
  }

  /** Runs a transaction that writes. A body that throws leaves nothing behind. */
  async write<Value>(body: () => Value, durability: Durability = "durable"): Promise<Value> {
    const turn = this.#line.then(() => this.#patiently(() => this.#transaction("begin immediate", body, durability)));
    this.#line = turn.catch(() => {});
    return turn;
  }

  /**
   * Ends the connection after the writers in line. libsql keeps the file open until the last statement is collected as
   * garbage, so the log is folded into the file here: whoever copies or moves it afterwards has everything.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    await this.#line;
    this.#isOpen = false;
    try {
      this.rows("pragma wal_checkpoint(truncate)");
    } catch (error) {
      // Another process is using the log, or the disk is full: the log stays beside the file, and that is as good.
      if (!isBusy(error) && !(toStoreError(error, this.path) instanceof StoreError)) throw error;
    }
    this.#statements.clear();
    this.#database.close();
  }

  #transaction<Value>(begin: string, body: () => Value, durability: Durability | null = null): Value {
    if (durability !== null) this.#setDurability(durability);
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

  #statement(sql: string, isQuery: boolean): Libsql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      if (isQuery) statement.raw(true);
      this.#statements.set(sql, statement);
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
