import type Libsql from "libsql";
import { StoreError } from "../store-error.ts";
import { Connection } from "./connection.ts";
import { ensureDatabaseFile } from "./database-file.ts";
import { migrate } from "./migrate.ts";
import { toOpenError } from "./sqlite-errors.ts";

/** Opens the file, makes it first where there is none, and brings its schema to this build's version. */
export async function openDatabase(path: string, patienceMs: number): Promise<Connection> {
  const driver = await loadDriver();
  try {
    ensureDatabaseFile(path);
    const connection = new Connection(new driver(path), path, patienceMs);
    await migrate(connection);
    return connection;
  } catch (error) {
    throw toOpenError(error, path);
  }
}

/** Loaded on first use: a program that keeps its runs elsewhere does not pay for it, nor fail where it does not exist. */
async function loadDriver(): Promise<typeof Libsql> {
  try {
    return (await import("libsql")).default;
  } catch (error) {
    throw new StoreError(
      "store_driver_missing",
      `The SQLite driver \`libsql\` cannot be loaded on ${process.platform}-${process.arch}. Install the package again without ` +
        "`--omit=optional`, or use another store (`--store memory:`).",
      { cause: error },
    );
  }
}
