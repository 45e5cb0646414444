import { extname, resolve } from "node:path";
import type { JsonObject } from "@braid/core";
import type { WorkflowInCode } from "@braid/engine";
import { UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { loadModule } from "./workflow-module.ts";

const moduleKinds: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);

/** Whether a file is a program that makes a workflow, and not text. */
export function isModuleFile(file: string): boolean {
  return moduleKinds.has(extname(file).toLowerCase());
}

/**
 * The functions of a stored run's steps: the store has its plan, but code is only in its file. The file is the one that
 * was named, or the one that the run was started from. Null for a run of a text file, which needs none.
 */
export async function loadRunCode(
  io: Pick<Io, "cwd">,
  meta: JsonObject,
  named: string | undefined,
): Promise<WorkflowInCode | null> {
  const file = named === undefined ? meta["file"] : resolve(io.cwd, named);
  if (typeof file !== "string" || !isModuleFile(file)) return null;
  return await loadModule(file, named ?? file).catch((error: unknown) => {
    if (named !== undefined || !(error instanceof UsageError)) throw error;
    throw new UsageError(
      error.message,
      "The run's functions are in that file. Name it: braid run FILE --resume ID",
      error,
    );
  });
}
