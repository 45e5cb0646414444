import { existsSync } from "node:fs";
import { extname } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WorkflowInCode } from "@braid/engine";
import { messageOf, UsageError } from "../cli-error.ts";

/** Loads a TypeScript or JavaScript file and finds the workflow in its exports. */
export async function loadModule(path: string, file: string): Promise<WorkflowInCode> {
  return pickWorkflow(await loadExports(path, file), file);
}

/** What a TypeScript or JavaScript file exports. */
export async function loadExports(path: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(path)) throw new UsageError(`cannot read \`${file}\`: no such file`);
  return await importModule(path).catch((error: unknown) => {
    throw new UsageError(`cannot load \`${file}\`: ${messageOf(error)}`, undefined, error);
  });
}

/**
 * Node's own stripping of types is used where it exists, because it is fast and what the author's editor checks; jiti is
 * there for older versions and for what Node refuses (enums, and imports of `@braid/engine` from a file outside of any
 * package).
 */
async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  const isTypeScript = /\.m?ts$/.test(extname(path));
  if (isTypeScript && !hasTypeStripping()) return importWithJiti(path);
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!jitiMayHelp(error)) throw error;
    return importWithJiti(path);
  }
}

function hasTypeStripping(): boolean {
  const features = process.features as { readonly typescript?: string | false };
  return features.typescript === "strip" || features.typescript === "transform";
}

const nodeRefusals: ReadonlySet<unknown> = new Set([
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_MODULE_NOT_FOUND",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
]);

function jitiMayHelp(error: unknown): boolean {
  return error instanceof Error && "code" in error && nodeRefusals.has(error.code);
}

const ownPackages = ["@braid/core", "@braid/engine"];

async function importWithJiti(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { createJiti } = await import("jiti");
  const jiti = createJiti(import.meta.url, {
    alias: Object.fromEntries(ownPackages.map((name) => [name, fileURLToPath(import.meta.resolve(name))])),
    // Our own packages are built already, and there must be one copy of them.
    nativeModules: ownPackages,
    interopDefault: false,
    moduleCache: false,
  });
  return await jiti.import<Readonly<Record<string, unknown>>>(path);
}

function pickWorkflow(exports: Readonly<Record<string, unknown>>, file: string): WorkflowInCode {
  if (isWorkflow(exports["default"])) return exports["default"];
  const named = Object.entries(exports).flatMap(([name, value]) => (isWorkflow(value) ? [{ name, value }] : []));
  const [first, second] = named;
  if (first === undefined) {
    throw new UsageError(`\`${file}\` exports no workflow`, 'Export one: export default workflow("name").step(…);');
  }
  if (second !== undefined) {
    const names = named.map(({ name }) => `\`${name}\``).join(", ");
    throw new UsageError(`\`${file}\` exports several workflows (${names})`, "Make one of them the default export.");
  }
  return first.value;
}

/** Whether a value is what the builder makes. */
export function isWorkflow(value: unknown): value is WorkflowInCode {
  if (typeof value !== "object" || value === null || !("definition" in value)) return false;
  const { definition } = value;
  return typeof definition === "object" && definition !== null && "steps" in definition && "name" in definition;
}
