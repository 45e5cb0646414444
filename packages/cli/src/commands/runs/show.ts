import { isoTime, loadState, pendingReason } from "@braid/core";
import type { PendingReason, Plan } from "@braid/core";
import type { RunResult, StepResultView } from "@braid/engine";
import { stdoutStyle } from "../../command-context.ts";
import type { CommandContext } from "../../command-context.ts";
import { CliError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { openRun } from "../../store/open-run.ts";
import type { OpenRun } from "../../store/open-run.ts";
import { countOf, formatDuration } from "../../terminal/format.ts";
import { writeJsonLine } from "../../terminal/json-line.ts";
import { colorOf, markOf } from "../../terminal/mark.ts";
import { oneLine } from "../../terminal/sanitize.ts";
import { paint } from "../../terminal/style.ts";
import type { Style } from "../../terminal/style.ts";
import { plain } from "../../view/change-text.ts";
import { summaryLine } from "../../view/json-lines.ts";
import { reasonWords } from "../../view/reason-words.ts";
import { renderTextTable } from "../../view/text-table.ts";
import { gapWords, groupWait, workerGaps } from "./missing-worker.ts";
import type { WorkerGap } from "./missing-worker.ts";
import { statusColor, statusWords } from "./list.ts";

export interface ShowOptions {
  readonly store?: string;
  readonly json?: boolean;
}

/** Shows a run as it stands: its steps, why they wait, and its error. */
export async function showRun(context: CommandContext, id: string, options: ShowOptions): Promise<number> {
  return await openRun(context, { id, ...options }, async (run) => {
    const result = await run.engine.inspect(run.runId);
    if (result === null) throw new CliError(`run \`${run.runId}\` is gone from the store`);
    const reasons = await pendingReasons(run);
    const gaps = await workerGaps(run, reasons);
    const group = await groupWait(run);
    const isAbandoned = isAbandonedRun(run, context.io.now());
    const { stdout } = context.io;
    if (options.json === true) writeJsonLine(stdout, showLine(run, result, { reasons, gaps }));
    else {
      const look = { reasons, gaps, group, isAbandoned, isPaused: result.status === "paused" };
      const place = { style: stdoutStyle(context), now: context.io.now() };
      stdout.write(`${renderRun(run, result, { ...look, ...place })}\n`);
    }
    return exitCode.ok;
  });
}

type Reasons = ReadonlyMap<string, PendingReason>;

/** Whether attempts of the run are held by a worker that has not renewed its leases: it is no more. */
function isAbandonedRun({ loaded }: OpenRun, now: number): boolean {
  return loaded.leases.some((lease) => lease.until < now);
}

/** Why each step that has not settled is not further along, by id. */
async function pendingReasons({ engine, loaded, plan, runId }: OpenRun): Promise<Reasons> {
  if (loaded.run.finishedAt !== null) return new Map();
  const ranks = loaded.run.ranksId === null ? null : await engine.store.getRanks(loaded.run.ranksId);
  const state = loadState(plan, runId, { run: loaded.run, steps: loaded.steps, ranks });
  const reasons = plan.steps.flatMap((step) => {
    const reason = step.hidden ? null : pendingReason(state, step.index);
    return reason === null ? [] : [[step.id, reason] as const];
  });
  return new Map(reasons);
}

/** The summary line, with what only a store knows. */
function showLine({ loaded }: OpenRun, result: RunResult, { reasons, gaps }: Pick<Look, "reasons" | "gaps">): object {
  const waiting = [...reasons].map(([id, reason]) => {
    const gap = gaps.get(id);
    return [id, gap === undefined ? reason : { ...reason, missing: gap }] as const;
  });
  return {
    ...summaryLine(result),
    workflow: loaded.workflow,
    workflowVersion: loaded.workflowVersion,
    createdAt: isoTime(loaded.createdAt),
    waiting: Object.fromEntries(waiting),
  };
}

interface Look {
  readonly reasons: Reasons;
  readonly gaps: ReadonlyMap<string, WorkerGap>;
  /** What a queued run waits for; null: for nothing. */
  readonly group: string | null;
  readonly isAbandoned: boolean;
  readonly isPaused: boolean;
  readonly style: Style;
  readonly now: number;
}

function renderRun(run: OpenRun, result: RunResult, look: Look): string {
  const { loaded, plan } = run;
  const { style, now } = look;
  const head = [
    paint(style, "bold", oneLine(loaded.workflow)),
    paint(style, statusColor(result), `${markOf(result.status, style)} ${statusWords(result)}`),
    result.status === "queued" ? "" : formatDuration(result.durationMs),
  ].filter((part) => part !== "");
  const facts = [
    `  run ${run.runId}`,
    `  created ${isoTime(loaded.createdAt)}, ${formatDuration(now - loaded.createdAt)} ago${result.epoch > 1 ? `, retried ${countOf(result.epoch - 1, "time")}` : ""}`,
    ...(result.error === null ? [] : [`  ${paint(style, "red", oneLine(errorWords(result.error)))}`]),
    ...(look.group === null ? [] : [`  ${look.group}`]),
    ...(look.isAbandoned ? [`  ${abandonedWords(run)}`] : []),
  ];
  return [head.join("  "), ...facts, "", ...stepTable(plan, result, look)].join("\n");
}

/** A store that others have workers on needs nobody: they repeat what the dead one ran. */
function abandonedWords({ runId, engine }: OpenRun): string {
  const byHand = `braid run --resume ${runId}`;
  const isShared = engine.store.url.startsWith("postgres:");
  return isShared
    ? `a worker of it was not heard of in time; another one repeats what it ran, or: ${byHand}`
    : `its worker has gone away; carry it on with: ${byHand}`;
}

function errorWords({ step, code, message }: NonNullable<RunResult["error"]>): string {
  return `${step === undefined ? "" : `${step}: `}${code}: ${message}`;
}

function stepTable(plan: Plan, result: RunResult, look: Look): readonly string[] {
  const { style } = look;
  const rows = plan.steps.flatMap((step) => {
    const view = result.steps[step.id];
    if (view === undefined) return [];
    return [
      [
        paint(style, colorOf(view.status), `${markOf(view.status, style)} ${view.status}`),
        oneLine(step.id),
        tookWords(view, look.now),
        view.attempts > 0 ? String(view.attempts) : "",
        notes(step.id, view, { plan, look }),
      ],
    ];
  });
  const columns = [
    { title: "STATUS" },
    { title: "STEP" },
    { title: "TOOK", align: "right" },
    { title: "ATTEMPTS", align: "right" },
    { title: "" },
  ] as const;
  return renderTextTable(columns, rows);
}

function tookWords(view: StepResultView, now: number): string {
  if (view.durationMs !== null) return formatDuration(view.durationMs);
  return view.startedAt === null ? "" : formatDuration(now - Date.parse(view.startedAt));
}

interface Shown {
  readonly plan: Plan;
  readonly look: Look;
}

function notes(id: string, view: StepResultView, { plan, look }: Shown): string {
  const reason = look.reasons.get(id);
  const parts = [
    ...(view.counts === undefined ? [] : [`${view.counts.completed} of ${view.counts.total}`]),
    ...(view.error === null ? [] : [oneLine(`${view.error.code}: ${view.error.message}`, 200)]),
    ...(view.tolerated ? ["tolerated"] : []),
    ...(view.skipReason === null ? [] : [plain(view.skipReason)]),
    ...(view.cause === null ? [] : [plain(view.cause)]),
    ...(reason === undefined || reason.kind === "running" ? [] : [waitWords(id, reason, { plan, look })]),
  ];
  return parts.join(", ");
}

function waitWords(id: string, reason: PendingReason, { plan, look }: Shown): string {
  const gap = look.gaps.get(id);
  if (gap !== undefined) return gapWords(gap);
  const isApproval = plan.steps.find((step) => step.id === id)?.kind === "approval";
  if (isApproval && reason.kind === "signal") return "waits for an approval (braid runs approve)";
  // A pause stops the clocks of waits, so an instant that was set before says nothing.
  return reasonWords(look.isPaused && reason.kind === "timer" ? { kind: "paused" } : reason, plan, look.now);
}
