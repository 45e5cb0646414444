import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Makes the file of a store if there is none, for its owner alone (0600): it holds inputs and outputs. SQLite gives the
 * files beside it the same rights. A directory named `.braid` is made too, with a `.gitignore` of its own; any other
 * directory must exist, so that a mistyped path is an error and not a new tree.
 *
 * A file that exists is not touched: SQLite's locks belong to the process and the file, and closing any other descriptor of
 * the file would drop those of a store that this process has open.
 */
export function ensureDatabaseFile(path: string): void {
  const directory = dirname(path);
  if (basename(directory) === ".braid") ensurePrivateDirectory(directory);
  createOnce(path, "");
}

function ensurePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  createOnce(join(directory, ".gitignore"), "*\n");
}

function createOnce(path: string, content: string): void {
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      writeFileSync(file, content);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
