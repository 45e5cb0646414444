import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";

export interface StoreChoice {
  readonly url: string;
  /** Whether nobody named a store: the default one looks after its own size. */
  readonly isDefault: boolean;
}

export interface StoreOptions {
  readonly store?: string;
  readonly ephemeral?: boolean;
}

const defaultUrl = "sqlite:.braid/braid.db";
const kinds = ["memory:", "sqlite:"];

/** The store of a command: `--ephemeral`, `--store`, `BRAID_STORE`, or the one of the working directory. */
export function chooseStore(io: Pick<Io, "env" | "cwd">, options: StoreOptions): StoreChoice {
  if (options.ephemeral === true) return { url: "memory:", isDefault: false };
  const fromEnvironment = io.env["BRAID_STORE"] === "" ? undefined : io.env["BRAID_STORE"];
  const named = options.store ?? fromEnvironment;
  const url = named ?? defaultUrl;
  if (!kinds.some((kind) => url.startsWith(kind))) {
    const source = options.store === undefined ? "BRAID_STORE" : "--store";
    // A URL may hold a password: what is not understood is not repeated.
    throw new UsageError(`${source} names no store that this version has`, "Stores are `sqlite:path/to/file.db` and `memory:`.");
  }
  return { url: absolute(io.cwd, url), isDefault: named === undefined };
}

/** Relative paths start in the working directory of the command, not of whatever runs it. */
function absolute(cwd: string, url: string): string {
  const path = pathOf(url);
  return path === null ? url : `sqlite:${resolve(cwd, path)}`;
}

function pathOf(url: string): string | null {
  return url.startsWith("sqlite:") ? url.slice("sqlite:".length) : null;
}

/** Whether the store can hold anything: a command that only reads must not make a file. */
export function storeExists(choice: StoreChoice): boolean {
  const path = pathOf(choice.url);
  return path !== null && existsSync(path);
}
