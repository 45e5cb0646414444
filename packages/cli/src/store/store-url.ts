import { existsSync } from "node:fs";
import { resolve } from "node:path";
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

const defaultPath = ".braid/braid.db";
const scheme = /^([a-z][a-z0-9+.-]+):(?:\/\/)?/i;

/** The store of a command: `--ephemeral`, `--store`, `BRAID_STORE`, or the one of the working directory. */
export function chooseStore(io: Pick<Io, "env" | "cwd">, options: StoreOptions): StoreChoice {
  if (options.ephemeral === true) return { url: "memory:", isDefault: false };
  const fromEnvironment = io.env["BRAID_STORE"] === "" ? undefined : io.env["BRAID_STORE"];
  const named = options.store ?? fromEnvironment;
  if (named === undefined) return { url: sqliteUrl(io.cwd, defaultPath), isDefault: true };
  const [prefix = "", name = "sqlite"] = scheme.exec(named) ?? [];
  const isFile = name.toLowerCase() === "sqlite";
  // What other schemes mean, and whether there is such a store at all, is the engine's to say.
  return { url: isFile ? sqliteUrl(io.cwd, named.slice(prefix.length)) : named, isDefault: false };
}

/** Relative paths start in the working directory of the command. */
function sqliteUrl(cwd: string, path: string): string {
  return path === "" ? "sqlite:" : `sqlite:${resolve(cwd, path)}`;
}

/** Whether the store can hold anything: a command that only reads must not make a file. */
export function storeExists({ url }: StoreChoice): boolean {
  if (url === "memory:") return false;
  return !url.startsWith("sqlite:") || existsSync(url.slice("sqlite:".length));
}
