import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { readDuration } from "../input/duration.ts";
import { withStore } from "../store/open-engine.ts";
import { countOf } from "../terminal/format.ts";
import { writeJsonLine } from "../terminal/json-line.ts";

export interface PruneOptions {
  readonly olderThan?: string;
  readonly keep?: number;
  readonly workflow?: string;
  readonly dryRun?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

/** Deletes runs that have ended, and says which. */
export async function prune(context: CommandContext, options: PruneOptions): Promise<number> {
  const { olderThan, keep, workflow } = options;
  if (olderThan === undefined && keep === undefined) {
    throw new UsageError("prune needs to know which runs", "Give --older-than 7d, --keep 100, or both.");
  }
  const dryRun = options.dryRun === true;
  const policy = {
    ...(olderThan === undefined ? {} : { olderThanMs: readDuration("--older-than", olderThan) }),
    ...(keep === undefined ? {} : { keep }),
    ...(workflow === undefined ? {} : { workflow }),
    dryRun,
  };
  const runIds = await withStore(context, options, async (engine) =>
    engine === null ? [] : await engine.store.prune(policy),
  );
  const { stdout } = context.io;
  if (options.json === true) {
    writeJsonLine(stdout, { type: "prune", dryRun, runIds });
    return exitCode.ok;
  }
  for (const id of runIds) stdout.write(`${id}\n`);
  context.io.stderr.write(`${countOf(runIds.length, "run")} ${dryRun ? "would be deleted" : "deleted"}\n`);
  return exitCode.ok;
}
