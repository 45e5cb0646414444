import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { compile, nearestName, parseJson, parseYaml } from "@braid/core";
import type { Compiled, Definition, Diagnostic, Plan } from "@braid/core";
import type { WorkflowInCode } from "@braid/engine";
import { UsageError } from "../cli-error.ts";
import { reasonOf } from "../input/read-data-file.ts";
import type { Io } from "../io.ts";
import { features } from "./host-features.ts";
import { isModuleFile } from "./run-code.ts";
import { loadModule } from "./workflow-module.ts";

/** A workflow as read from a file, a module or stdin, and compiled. `plan` is null when something is wrong with it. */
export interface LoadedWorkflow {
  /** As the user named it. */
  readonly file: string;
  /** Where relative paths of its steps start. */
  readonly directory: string;
  /** What diagnostics quote; null for a module. */
  readonly text: string | null;
  readonly definition: Definition | null;
  readonly plan: Plan | null;
  readonly diagnostics: readonly Diagnostic[];
  /** What the builder made, with the functions of its steps; null for text. */
  readonly code: WorkflowInCode | null;
}

const textKinds: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

/** Whether an argument means a file, and not the name of a stored workflow. */
export function isFileArgument(io: Pick<Io, "cwd">, argument: string): boolean {
  return argument === "-" || isKnownKind(argument) || /[/\\]/.test(argument) || existsSync(resolve(io.cwd, argument));
}

function isKnownKind(file: string): boolean {
  const kind = extname(file).toLowerCase();
  return textKinds.has(kind) || isModuleFile(file);
}

/** Reads and compiles a workflow. Problems of the definition are in `diagnostics`; a file that cannot be read is a usage error. */
export async function loadWorkflowFile(io: Pick<Io, "cwd" | "readStdin">, file: string): Promise<LoadedWorkflow> {
  if (file === "-") return fromText({ file: stdinName, directory: io.cwd }, await io.readStdin());
  const path = resolve(io.cwd, file);
  const place = { file, directory: dirname(path) };
  if (isModuleFile(path)) return fromModule(place, await loadModule(path, file));
  return fromText(place, await readWorkflowText(path, file));
}

const stdinName = "<stdin>";

type Place = Pick<LoadedWorkflow, "file" | "directory">;

function fromText(place: Place, text: string): LoadedWorkflow {
  const kind = extname(place.file);
  const options = place.file === stdinName ? {} : { defaultName: basename(place.file, kind) };
  const parsed = kind.toLowerCase() === ".json" ? parseJson(text, options) : parseYaml(text, options);
  // What could be read in spite of errors is compiled too, so that all problems come out at once.
  const compiled =
    parsed.partial === null ? noPlan : compile(parsed.partial, { locate: parsed.locate, types: [], features });
  const diagnostics = [...parsed.diagnostics, ...compiled.diagnostics].toSorted(byPlace);
  const plan = parsed.definition === null ? null : compiled.plan;
  return { ...place, text, definition: parsed.definition, plan, diagnostics, code: null };
}

const noPlan: Compiled = { plan: null, diagnostics: [] };

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function fromModule(place: Place, code: WorkflowInCode): LoadedWorkflow {
  const { definition } = code;
  return { ...place, text: null, definition, ...compile(definition, { features }), code };
}

async function readWorkflowText(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read \`${file}\`: ${reasonOf(error)}`, await fileHint(path), error);
  }
}

/** The file of the same directory that was probably meant. */
async function fileHint(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch(() => []);
  const candidates = names.filter(isKnownKind);
  const wanted = path.slice(dirname(path).length + 1);
  const nearest = candidates.find((name) => name.startsWith(`${wanted}.`)) ?? nearestName(wanted, candidates);
  return nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`;
}
