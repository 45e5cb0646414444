import process from "node:process";
import { processIo } from "./io.ts";
import { runProgram } from "./program.ts";
import { reportError } from "./report-error.ts";

/** Runs the command line in this process and ends it with the exit code, whatever happens. */
export async function start(args: readonly string[], version: () => string): Promise<never> {
  const io = processIo(args);
  const fail = (error: unknown): never => io.exit(reportError(io, error));
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const code = await runProgram(args, { io, version }).catch((error: unknown) => reportError(io, error));
  await drained();
  // Even if something is still open: a workflow file may have made connections of its own that nobody will ever close.
  return io.exit(code);
}

/** What was written has left the process, or nobody reads it any more. */
async function drained(): Promise<void> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))));
}
