import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import type { Store } from "../port.ts";
import { createSqliteStore } from "../sqlite.ts";

/** A directory for the files of one test file, and what a test does with them. */
export class ScratchFiles {
  readonly directory: string;
  /** The file of the current test. */
  path = "";
  #count = 0;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "braid-sqlite-"));
    chmodSync(this.directory, 0o755);
  }

  /** Goes on to a file that does not exist yet. */
  next(): void {
    this.#count += 1;
    this.path = join(this.directory, `${this.#count}.db`);
  }

  async open(patienceMs = 10_000): Promise<Store> {
    const store = createSqliteStore({ path: this.path, patienceMs });
    await store.open();
    return store;
  }

  /** What another program sees in the file. */
  query(sql: string): unknown[] {
    const database = new Database(this.path);
    try {
      return database.prepare(sql).raw(true).all();
    } finally {
      database.close();
    }
  }

  /** What another program does to the file. */
  change(sql: string): void {
    const database = new Database(this.path);
    database.exec(sql);
    database.close();
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
