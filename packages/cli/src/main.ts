import { readFileSync } from "node:fs";
import module from "node:module";
import process from "node:process";

/**
 * The entry of `braid`. Whoever asks only for the version waits for nothing but this file; everything else is loaded when
 * it is known what is wanted, each command by an `import()` of its own.
 */

type CompileCache = { readonly enableCompileCache?: () => void };

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  process.stdout.on("error", () => {
    // A reader that has gone away needs no version.
  });
  process.stdout.write(`${version()}\n`);
} else {
  // Node 22 and later keep compiled code on disk, which makes the next start faster.
  (module as CompileCache).enableCompileCache?.();
  const { start } = await import("./start.ts");
  await start(args, version);
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
