import type { Diagnostic } from "@braid/core";
import { CliError, messageOf } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { codeOf, messageLine } from "./store/store-trouble.ts";
import { oneLine } from "./terminal/sanitize.ts";

/**
 * Codes of engine errors that mean "what you asked for cannot be done" and not "the engine could not do it". They are
 * compared by code and not by class, so that reporting an error does not have to load the engine.
 */
const usageCodes: ReadonlySet<string> = new Set([
  "invalid_definition",
  "invalid_input",
  "unknown_workflow",
  "unknown_run",
  "unknown_step",
  "not_waiting",
  "not_terminal",
  "is_terminal",
  "not_paused",
  "idempotency_conflict",
  "concurrency_conflict",
  "store_unsupported",
]);

/** Writes an error that ended a command as one clear line (and a hint) on stderr, and answers the exit code. */
export function reportError(io: Io, error: unknown): number {
  const { stderr } = io;
  stderr.write(`braid: ${messageLine(error)}\n`);
  for (const diagnostic of diagnosticsOf(error)) stderr.write(`  ${oneLine(diagnostic.message)}\n`);
  const code = exitCodeOfError(error);
  if (error instanceof CliError && error.hint !== undefined) stderr.write(`${error.hint}\n`);
  if (io.isDebug) stderr.write(`${stackOf(error)}\n`);
  else if (code === exitCode.engine && !(error instanceof CliError) && codeOf(error) === undefined) {
    stderr.write("This is a fault of the program; run again with --debug to see where it happened.\n");
  }
  return code;
}

function exitCodeOfError(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  const code = codeOf(error);
  return code !== undefined && usageCodes.has(code) ? exitCode.usage : exitCode.engine;
}

function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (typeof error !== "object" || error === null || !("diagnostics" in error)) return [];
  return Array.isArray(error.diagnostics) ? (error.diagnostics as Diagnostic[]) : [];
}

/** The stack of an error and of everything that caused it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? messageOf(error);
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`;
}
