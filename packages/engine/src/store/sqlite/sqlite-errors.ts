import { NotStorable } from "../storable.ts";
import { StoreError } from "../store-error.ts";
import type { StoreErrorCode } from "../store-error.ts";

interface Problem {
  readonly code: StoreErrorCode;
  /** What is wrong and what to do, after "The store `path` …". */
  readonly text: string;
}

const cannotOpen: Problem = {
  code: "store_cannot_open",
  text: "cannot be opened. Check that its directory exists, that it is a file, and that this user may write there",
};

const readOnly: Problem = {
  code: "store_read_only",
  text: "cannot be written. Check the rights of the file, of its directory and of the file system",
};

const full: Problem = {
  code: "store_full",
  text: "has no room to grow: the disk is full. Free some space and go on",
};

const busy = 5;
const locked = 6;
const constraint = 19;

/** By primary result code of SQLite (https://sqlite.org/rescode.html): the low byte of every extended code. */
const problems: ReadonlyMap<number, Problem> = new Map([
  [3, readOnly],
  [
    busy,
    {
      code: "store_busy",
      text: "is locked by another process. Try again; if it stays locked, look for a stopped process that has it open",
    },
  ],
  [locked, { code: "store_busy", text: "is locked by another connection. Try again" }],
  [7, { code: "store_io", text: "could not be read: out of memory" }],
  [8, readOnly],
  [10, { code: "store_io", text: "could not be read or written. Look for disk errors in the system's log" }],
  [
    11,
    {
      code: "store_corrupt",
      text: "is damaged. Restore it from a backup, or save what is left with `sqlite3 FILE .recover` and start a new one",
    },
  ],
  [13, full],
  [14, cannotOpen],
  [
    15,
    {
      code: "store_cannot_open",
      text: "cannot be locked. Put it on a local file system: SQLite cannot share a file over the network",
    },
  ],
  [
    26,
    {
      code: "store_not_a_store",
      text: "is not an SQLite database. Name another file, or move this one away and a new store is made",
    },
  ],
]);

const tooBig = 18;
const mismatch = 20;

/** The primary result code of an error of the driver, or null. Its texts are no help: it does not know all codes. */
function resultCode(error: unknown): number | null {
  const raw = (error as { readonly rawCode?: unknown } | null)?.rawCode;
  return typeof raw === "number" ? raw & 0xff : null;
}

/** Whether somebody else holds the lock and the same statement may succeed later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === busy || code === locked;
}

/** Whether the database refused the data itself: a constraint of the schema, or a value that is too big. */
export function isRefusedData(error: unknown): boolean {
  const code = resultCode(error);
  return error instanceof NotStorable || code === constraint || code === tooBig || code === mismatch;
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
  const problem = problems.get(resultCode(error) ?? -1);
  return problem === undefined ? error : storeError(problem, path, error);
}

/** The typed error of whatever went wrong while the file was made or opened. */
export function toOpenError(error: unknown, path: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return storeError(readOnly, path, error);
    case "ENOSPC":
    case "EDQUOT":
      return storeError(full, path, error);
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
    // The driver gives no code at all where it could not even begin.
    case "":
      return storeError(cannotOpen, path, error);
    default:
      return toStoreError(error, path);
  }
}

function storeError({ code, text }: Problem, path: string, cause: unknown): StoreError {
  const { message } = cause as Error;
  return new StoreError(code, `The store \`${path}\` ${text} (${message}).`, { cause, details: { path } });
}
