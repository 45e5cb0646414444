import { stderrStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { canRepaint } from "../terminal/style.ts";
import { silentReporter } from "./reporter.ts";
import type { LogChoice, Reporter } from "./reporter.ts";

export interface ProgressOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly logs?: LogChoice;
}

/**
 * How a run is shown: a live table where a person watches stderr, else a line per change. Nothing where the lines of
 * `--json` would come out on the same screen.
 */
export async function chooseReporter(
  context: CommandContext,
  runId: string,
  options: ProgressOptions,
): Promise<Reporter> {
  const { io } = context;
  if (!showsProgress(context, options)) return silentReporter;
  const style = stderrStyle(context);
  const output = io.stderr;
  // Each is loaded only where it is used: a program that reads JSON waits for neither.
  if (canRepaint(io, output)) {
    const { createLiveReporter } = await import("./live-reporter.ts");
    return createLiveReporter({ runId, output, style, logs: options.logs ?? "errors", now: () => io.now() });
  }
  const { createLineReporter } = await import("./line-reporter.ts");
  const isGithub = io.env["GITHUB_ACTIONS"] === "true";
  return createLineReporter({ runId, output, style, logs: options.logs ?? "full", isGithub });
}

export function showsProgress({ io }: CommandContext, options: ProgressOptions): boolean {
  if (options.quiet === true) return false;
  return options.json !== true || !(io.stdout.isTerminal && io.stderr.isTerminal);
}
