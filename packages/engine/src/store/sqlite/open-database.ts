import type Libsql from "libsql";
import { StoreError } from "../store-error.ts";
import { Connection } from "./connection.ts";
import { ensureDatabaseFile } from "./database-file.ts";
import { migrate } from "./migrate.ts";
import { toStoreError } from "./sqlite-errors.ts";

/** Opens the file, makes it first where there is none, and brings its schema to this build's version. */
export async function openDatabase(path: string, patienceMs: number): Promise<Connection> {
  const driver = await loadDriver();
  try {
    ensureDatabaseFile(path);
    const connection = new Connection(new driver(path), path, patienceMs);
    await migrate(connection);
    return connection;
  } catch (error) {
    throw toStoreError(fromFileSystem(error), path);
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

/** Errors of the file system in the words of SQLite, which `toStoreError` knows. */
function fromFileSystem(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return Object.assign(error as Error, { code: "SQLITE_READONLY" });
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
      return Object.assign(error as Error, { code: "SQLITE_CANTOPEN" });
    case "ENOSPC":
    case "EDQUOT":
      return Object.assign(error as Error, { code: "SQLITE_FULL" });
    default:
      return error;
  }
}
