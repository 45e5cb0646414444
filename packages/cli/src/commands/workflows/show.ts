import { isoTime, toAscii } from "@braid/core";
import { stdoutStyle } from "../../command-context.ts";
import type { CommandContext } from "../../command-context.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { withStore } from "../../store/open-engine.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { oneLine } from "../../terminal/sanitize.ts";

export interface ShowWorkflowOptions {
  readonly store?: string;
  readonly workflowVersion?: number;
  readonly json?: boolean;
}

/** Shows a stored workflow. */
export async function showWorkflow(
  context: CommandContext,
  name: string,
  options: ShowWorkflowOptions,
): Promise<number> {
  const { io } = context;
  const stored = await withStore(context, options, async (engine) =>
    engine === null ? null : await engine.store.getWorkflow(name, options.workflowVersion),
  );
  if (stored === null) throw notThere(name, options.workflowVersion);
  const { version, createdAt, definition } = stored;
  if (options.json === true) {
    const line = { type: "workflow", workflow: stored.name, version, createdAt: isoTime(createdAt), definition };
    writeJsonLine(io.stdout, line);
    return exitCode.ok;
  }
  const drawing = toAscii(stored.plan, { unicode: stdoutStyle(context).unicode });
  io.stdout.write(`${oneLine(stored.name)} version ${version}, stored ${isoTime(createdAt)}\n\n${drawing.trimEnd()}\n`);
  return exitCode.ok;
}

function notThere(name: string, version: number | undefined): UsageError {
  const which = version === undefined ? "" : ` in version ${version}`;
  return new UsageError(
    `there is no workflow \`${oneLine(name)}\`${which} in this store`,
    "Put one there with: braid workflows apply FILE",
  );
}
