import { NotStorable } from "../storable.ts";
import { StoreError } from "../store-error.ts";
import type { StoreErrorCode } from "../store-error.ts";

interface Problem {
  readonly code: StoreErrorCode;
  /** What is wrong and what to do, after "The store `path` …". */
  readonly text: string;
}

/** By primary result code of SQLite; its extended codes begin with the same name. The first match counts. */
const problems: readonly (readonly [prefix: string, problem: Problem])[] = [
  [
    "SQLITE_BUSY",
    {
      code: "store_busy",
      text: "is locked by another process. Try again; if it stays locked, look for a stopped process that has it open",
    },
  ],
  ["SQLITE_LOCKED", { code: "store_busy", text: "is locked by another connection. Try again" }],
  [
    "SQLITE_NOTADB",
    {
      code: "store_not_a_store",
      text: "is not an SQLite database. Name another file, or move this one away and a new store is made",
    },
  ],
  [
    "SQLITE_CORRUPT",
    {
      code: "store_corrupt",
      text: "is damaged. Restore it from a backup, or save what is left with `sqlite3 FILE .recover` and start a new one",
    },
  ],
  [
    "SQLITE_READONLY",
    {
      code: "store_read_only",
      text: "cannot be written. Check the rights of the file, its directory and the file system",
    },
  ],
  [
    "SQLITE_PERM",
    { code: "store_read_only", text: "may not be written. Check the rights of the file and its directory" },
  ],
  ["SQLITE_FULL", { code: "store_full", text: "has no room to grow: the disk is full. Free some space and go on" }],
  [
    "SQLITE_CANTOPEN",
    {
      code: "store_cannot_open",
      text: "cannot be opened. Check that its directory exists and that this user may write there",
    },
  ],
  [
    "SQLITE_PROTOCOL",
    {
      code: "store_cannot_open",
      text: "cannot be locked. Put it on a local file system: SQLite cannot share a file over the network",
    },
  ],
  [
    "SQLITE_IOERR",
    { code: "store_io", text: "could not be read or written. Look for disk errors in the system's log" },
  ],
  ["SQLITE_NOMEM", { code: "store_io", text: "could not be read: out of memory" }],
];

const codeOf = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
};

/** Whether somebody else holds the lock and the same statement may succeed later. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED");
}

/** Whether the database refused the data itself: a constraint of the schema, or a value that is too big. */
export function isRefusedData(error: unknown): boolean {
  const code = codeOf(error);
  return (
    error instanceof NotStorable ||
    code.startsWith("SQLITE_CONSTRAINT") ||
    code === "SQLITE_TOOBIG" ||
    code === "SQLITE_MISMATCH"
  );
}

/** The typed error of whatever a statement threw. What is no fault of the store, such as a bug, comes back unchanged. */
export function toStoreError(error: unknown, path: string): unknown {
  if (error instanceof StoreError) return error;
  if (isRefusedData(error)) {
    const { message } = error as Error;
    return new StoreError("store_not_storable", `The store \`${path}\` refused the data: ${message}.`, {
      cause: error,
      details: { path },
    });
  }
  const code = codeOf(error);
  const problem = problems.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (problem === undefined) return error;
  return new StoreError(problem.code, `The store \`${path}\` ${problem.text} (${code}).`, {
    cause: error,
    details: { path, sqlite: code },
  });
}
