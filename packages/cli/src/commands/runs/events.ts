import type { PublicTraceEvent } from "@braid/engine";
import { stdoutStyle } from "../../command-context.ts";
import type { CommandContext } from "../../command-context.ts";
import { exitCode } from "../../exit-code.ts";
import { openRun } from "../../store/open-run.ts";
import type { OpenRun } from "../../store/open-run.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { colorOf, markOf } from "../../terminal/mark.ts";
import { oneLine } from "../../terminal/sanitize.ts";
import { paint } from "../../terminal/style.ts";
import type { Style } from "../../terminal/style.ts";
import { applyTrace } from "../../view/apply-trace.ts";
import { describeChange } from "../../view/change-text.ts";
import { createRunView } from "../../view/run-view.ts";
import type { RunView } from "../../view/run-view.ts";
import { numberOf } from "../../view/trace-line.ts";

export interface EventsOptions {
  readonly follow?: boolean;
  readonly after: number;
  readonly store?: string;
  readonly json?: boolean;
}

/** Prints the trace of a run; with `--follow`, until the run has ended or nobody reads any more. */
export async function showEvents(context: CommandContext, id: string, options: EventsOptions): Promise<number> {
  return await openRun(context, { id, ...options }, async (run) => {
    const { stdout } = context.io;
    const view = createRunView(run.plan);
    const style = stdoutStyle(context);
    for await (const event of traceOf(run, options.follow === true)) {
      const text = eventText(view, event, style);
      if ((numberOf(event["seq"]) ?? 0) <= options.after) continue;
      if (options.json === true) writeJsonLine(stdout, event);
      else stdout.write(`${text}\n`);
      if (stdout.isBroken) break;
    }
    return exitCode.ok;
  });
}

async function* traceOf({ engine, runId, loaded }: OpenRun, isFollowing: boolean): AsyncIterable<PublicTraceEvent> {
  const last = loaded.run.traceSeq;
  for await (const event of engine.events(runId)) {
    yield event;
    // Without --follow the trace ends where it stood when the command was given.
    if (!isFollowing && (numberOf(event["seq"]) ?? 0) >= last) return;
  }
}

/** One event for a person: number, time, what it is about, and what happened. */
function eventText(view: RunView, event: PublicTraceEvent, style: Style): string {
  const { line, node } = applyTrace(view, event);
  const seq = String(numberOf(event["seq"]) ?? "").padStart(5);
  const at = paint(style, "gray", new Date(line.at).toISOString());
  const change = node === undefined ? null : describeChange(line, node);
  if (change === null) {
    const item = node?.kind === "map" && line.type.startsWith("task.") ? `[${line.task}]` : "";
    const about = line.step === null ? "" : ` ${oneLine(line.step)}${item}`;
    return `${seq}  ${at}  ${oneLine(line.type)}${about}`;
  }
  const mark = paint(style, colorOf(change.status), markOf(change.status, style));
  return `${seq}  ${at}  ${oneLine(line.type)} ${mark} ${change.subject} ${change.words}`;
}
