import { isoTime } from "@braid/core";
import type { RunStatus } from "@braid/core";
import type { RunSummaryRow } from "@braid/engine";
import { stdoutStyle } from "../../command-context.ts";
import type { CommandContext } from "../../command-context.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { findRunId } from "../../store/find-run.ts";
import { withStore } from "../../store/open-engine.ts";
import { formatDuration } from "../../terminal/format.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { colorOf, markOf } from "../../terminal/mark.ts";
import { oneLine } from "../../terminal/sanitize.ts";
import { paint } from "../../terminal/style.ts";
import type { Style } from "../../terminal/style.ts";
import { renderTextTable } from "../../view/text-table.ts";

export interface ListOptions {
  readonly workflow?: string;
  readonly status?: readonly string[];
  readonly limit: number;
  readonly before?: string;
  readonly store?: string;
  readonly json?: boolean;
}

const statuses: readonly RunStatus[] = ["queued", "running", "paused", "completed", "failed", "canceled"];

/** Lists runs, newest first. */
export async function listRuns(context: CommandContext, options: ListOptions): Promise<number> {
  const { io } = context;
  const filter = {
    limit: options.limit,
    ...(options.workflow === undefined ? {} : { workflow: options.workflow }),
    ...(options.status === undefined ? {} : { status: options.status.map(readStatus) }),
  };
  const rows = await withStore(context, options, async (engine) => {
    if (engine === null) return [];
    const { before } = options;
    return await engine.list(before === undefined ? filter : { ...filter, before: await findRunId(engine, before) });
  });
  if (options.json === true) {
    for (const row of rows) writeJsonLine(io.stdout, runLine(row));
  } else if (rows.length === 0) {
    io.stderr.write("no runs\n");
  } else {
    const lines = renderRuns(rows, { now: io.now(), style: stdoutStyle(context) });
    io.stdout.write(`${lines.join("\n")}\n`);
    sayHowToGoOn(context, rows, options);
  }
  return exitCode.ok;
}

/** A full page is rarely the last one. */
function sayHowToGoOn({ io }: CommandContext, rows: readonly RunSummaryRow[], { limit }: ListOptions): void {
  const last = rows.at(-1);
  if (last === undefined || rows.length < limit || !io.stderr.isTerminal) return;
  io.stderr.write(`older ones: --before ${last.id}\n`);
}

function readStatus(text: string): RunStatus {
  const status = statuses.find((each) => each === text);
  if (status !== undefined) return status;
  throw new UsageError(`--status: there is no status \`${oneLine(text)}\`; there are ${statuses.join(", ")}`);
}

/** A run as one JSON line. */
export function runLine({ id, workflow, workflowVersion, createdAt, run }: RunSummaryRow): object {
  const { status, epoch, toleratedFailures, startedAt, finishedAt, error } = run;
  return {
    type: "run",
    runId: id,
    workflow,
    workflowVersion,
    status,
    epoch,
    toleratedFailures,
    createdAt: isoTime(createdAt),
    startedAt: startedAt === null ? null : isoTime(startedAt),
    finishedAt: finishedAt === null ? null : isoTime(finishedAt),
    error,
  };
}

export function renderRuns(
  rows: readonly RunSummaryRow[],
  look: { readonly now: number; readonly style: Style },
): readonly string[] {
  const { now, style } = look;
  const cells = rows.map(({ id, workflow, createdAt, run }) => [
    paint(style, statusColor(run), `${hasWarnings(run) ? "!" : markOf(run.status, style)} ${statusWords(run)}`),
    id,
    oneLine(workflow),
    `${formatDuration(now - createdAt)} ago`,
    run.startedAt === null ? "" : formatDuration((run.finishedAt ?? now) - run.startedAt),
  ]);
  return renderTextTable(
    [
      { title: "STATUS" },
      { title: "RUN" },
      { title: "WORKFLOW" },
      { title: "CREATED", align: "right" },
      { title: "TOOK", align: "right" },
    ],
    cells,
  );
}

type Outcome = Pick<RunSummaryRow["run"], "status" | "toleratedFailures">;

function hasWarnings(run: Outcome): boolean {
  return run.status === "completed" && run.toleratedFailures > 0;
}

/** The status in words: a run that completed although something failed says so. */
export function statusWords(run: Outcome): string {
  return hasWarnings(run) ? "completed with warnings" : run.status;
}

export function statusColor(run: Outcome): ReturnType<typeof colorOf> {
  return hasWarnings(run) ? "yellow" : colorOf(run.status);
}
