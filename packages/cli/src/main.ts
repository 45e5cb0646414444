import { readFileSync } from "node:fs";
import module from "node:module";
import process from "node:process";
import { processIo } from "./io.ts";
import { reportError } from "./report-error.ts";

/**
 * The entry of `braid`. What it loads before it knows the command is all that `--version` and `--help` cost, so every
 * command lives behind an `import()` of its own.
 */

type CompileCache = { readonly enableCompileCache?: () => void };

/** Node 22 and later keep compiled code on disk; the second start is then faster by about a fifth. */
(module as CompileCache).enableCompileCache?.();

const io = processIo();

process.on("uncaughtException", (error) => {
  end(reportError(io, error));
});
process.on("unhandledRejection", (reason) => {
  end(reportError(io, reason));
});

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  io.stdout.write(`${version()}\n`);
} else {
  if (args.includes("--debug")) process.env["BRAID_DEBUG"] = "1";
  const { runProgram } = await import("./program.ts");
  const code = await runProgram(args, { io, version }).catch((error: unknown) => reportError(io, error));
  await drained();
  end(code);
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/**
 * Ends the process even if something is still open: a workflow file may have made connections of its own that nobody
 * will ever close, and the command is over.
 */
function end(code: number): never {
  process.exit(code);
}

/** What was written has left the process, or nobody reads it any more. */
async function drained(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))));
}
