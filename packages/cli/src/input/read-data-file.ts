import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import type { JsonObject, JsonValue } from "@braid/core";
import { messageOf, UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";

/** Reads a file that an option names, or stdin for `-`. */
async function readText(io: Pick<Io, "cwd" | "readStdin">, option: string, path: string): Promise<string> {
  try {
    return path === "-" ? await io.readStdin() : await readFile(resolve(io.cwd, path), "utf8");
  } catch (error) {
    throw new UsageError(`${option}: cannot read \`${path}\`: ${reasonOf(error)}`, undefined, error);
  }
}

/** Reads a JSON or YAML file that holds one object. */
export async function readObjectFile(
  io: Pick<Io, "cwd" | "readStdin">,
  option: string,
  path: string,
): Promise<JsonObject> {
  const text = await readText(io, option, path);
  const value = await parseData(text, `${option} \`${path}\``);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new UsageError(`${option} \`${path}\` must hold an object`);
}

/** JSON is read by the faster parser; what is not JSON is YAML. */
async function parseData(text: string, what: string): Promise<JsonValue> {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    const { parse } = await import("yaml");
    try {
      return parse(text, { maxAliasCount: 100 }) as JsonValue;
    } catch (error) {
      throw new UsageError(`${what} is neither JSON nor YAML: ${messageOf(error).split("\n")[0]}`, undefined, error);
    }
  }
}

/** Reads `NAME=value` lines as Node's own `--env-file` does. */
export async function readEnvFile(
  io: Pick<Io, "cwd" | "readStdin">,
  path: string,
): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(parseEnv(await readText(io, "--env-file", path)));
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** The reason of a file error without the system call and path that the message already names. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "it is a directory";
  if (code === "EACCES" || code === "EPERM") return "no permission";
  return messageOf(error);
}
