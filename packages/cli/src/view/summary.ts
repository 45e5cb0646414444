import type { Plan } from "@braid/core";
import type { RunResult, StepResultView } from "@braid/engine";
import { countOf, formatDuration } from "../terminal/format.ts";
import { colorOf, markOf } from "../terminal/mark.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { padTo, widthOf } from "../terminal/width.ts";
import { plain } from "./change-text.ts";
import { rootFailures, takenDown } from "./failures.ts";

export interface SummaryInput {
  readonly plan: Plan;
  readonly result: RunResult;
  /** The last log lines of failed steps, by id, already made harmless. */
  readonly tails: ReadonlyMap<string, readonly string[]>;
  /** Longest chain of steps by the time they took; empty where nothing ran. */
  readonly criticalPath: { readonly steps: readonly string[]; readonly ms: number };
  /** Milliseconds that all attempts together ran: what the run would have taken one step at a time. */
  readonly workMs: number;
  readonly style: Style;
}

/** Most failures, and most lines of any list, that are shown. */
export const maxListed = 20;

/** The end of a run in words: root failures first, then what they took down, then totals. */
export function renderSummary(input: SummaryInput): string {
  const { plan, result } = input;
  const blocks = [
    [headLine(input)],
    ...(result.status === "completed" ? survivedBlocks(input) : failureBlocks(input)),
    runErrorBlock(input),
    listBlock(takenDownTitle(result), takenDown(plan, result), input),
    ...(result.status === "completed" ? [] : [listBlock("Tolerated:", toleratedSteps(result), input)]),
    totalsBlock(input),
  ];
  const written = blocks.filter((block) => block.length > 0);
  return `${written.map((block) => block.join("\n")).join("\n\n")}\n`;
}

/** Root failures with what is known of each; of very many, the first ones. */
function failureBlocks(input: SummaryInput): readonly (readonly string[])[] {
  const roots = rootFailures(input.plan, input.result);
  const blocks = roots.slice(0, maxListed).map((id) => failureBlock(id, input));
  return roots.length > maxListed
    ? [...blocks, [`  … and ${countOf(roots.length - maxListed, "more failed step")}`]]
    : blocks;
}

/** A run may complete although steps failed: somebody handled it, tolerated it or made up for it. */
function survivedBlocks(input: SummaryInput): readonly (readonly string[])[] {
  const failed = Object.entries(input.result.steps).flatMap(([id, step]) => (step.status === "failed" ? [id] : []));
  return [listBlock("Failed, and did not fail the run:", failed, input)];
}

function headLine({ plan, result, style }: SummaryInput): string {
  const { status, toleratedFailures } = result;
  const hasWarnings = status === "completed" && toleratedFailures > 0;
  const words = hasWarnings ? "completed with warnings" : status;
  const mark = hasWarnings ? "!" : markOf(status, style);
  const color = hasWarnings ? "yellow" : colorOf(status);
  const time = result.status === "completed" ? "in" : "after";
  return `${paint(style, color, `${mark} ${oneLine(plan.workflow)} ${words}`)} ${time} ${formatDuration(result.durationMs)}`;
}

function failureBlock(id: string, input: SummaryInput): readonly string[] {
  const { style, result } = input;
  const step = result.steps[id];
  if (step === undefined) return [];
  const facts = [
    ...(step.attempts > 1 ? [countOf(step.attempts, "attempt")] : []),
    ...(step.durationMs === null ? [] : [`after ${formatDuration(step.durationMs)}`]),
  ];
  const head = `${paint(style, "red", `${markOf("failed", style)} ${oneLine(id)} failed`)}: ${errorText(step)}`;
  const fact = facts.length === 0 ? "" : ` (${facts.join(", ")})`;
  const bar = paint(style, "gray", style.unicode ? "│" : "|");
  const tail = (input.tails.get(id) ?? []).map((line) => `    ${bar} ${line}`);
  return [`  ${head}${fact}`, ...itemLines(id, input), ...causeLines(step), ...tail];
}

/** Which items of a map failed. */
function itemLines(id: string, { result }: SummaryInput): readonly string[] {
  const items = result.failures.filter((failure) => failure.step === id && failure.task !== null);
  const shown = items.slice(0, maxListed).map((failure) => {
    return `    ${oneLine(id)}[${failure.task}]: ${oneLine(`${failure.code}: ${failure.message}`)}`;
  });
  return items.length > maxListed ? [...shown, `    … and ${countOf(items.length - maxListed, "more item")}`] : shown;
}

function causeLines(step: StepResultView): readonly string[] {
  const cause = step.error?.cause;
  return cause === undefined
    ? []
    : [`    while handling ${oneLine(cause.step)}: ${oneLine(`${cause.code}: ${cause.message}`)}`];
}

/** An error of the run itself: its timeout, or its output. */
function runErrorBlock({ result, style }: SummaryInput): readonly string[] {
  const { error } = result;
  if (error === null || error.step !== undefined || result.status !== "failed") return [];
  if (result.failures.some((failure) => failure.message === error.message)) return [];
  return [
    `  ${paint(style, "red", `${markOf("failed", style)} the run failed`)}: ${oneLine(`${error.code}: ${error.message}`)}`,
  ];
}

function listBlock(title: string, ids: readonly string[], { result, style }: SummaryInput): readonly string[] {
  if (ids.length === 0) return [];
  const shown = ids.slice(0, maxListed);
  const width = Math.max(...shown.map((id) => widthOf(oneLine(id))));
  const lines = shown.flatMap((id) => {
    const step = result.steps[id];
    if (step === undefined) return [];
    const mark = paint(style, colorOf(step.status), markOf(step.status, style));
    return [`    ${mark} ${padTo(oneLine(id), width)}  ${outcomeWords(step)}`];
  });
  const rest = ids.length > maxListed ? [`    … and ${countOf(ids.length - maxListed, "more step")}`] : [];
  return [`  ${title}`, ...lines, ...rest];
}

function outcomeWords(step: StepResultView): string {
  if (step.status === "failed") return `failed: ${errorText(step)}`;
  const reason = step.skipReason ?? step.cause;
  return reason === null ? step.status : `${step.status}: ${plain(reason)}`;
}

function errorText(step: StepResultView): string {
  return step.error === null ? "failed" : oneLine(`${step.error.code}: ${step.error.message}`);
}

function takenDownTitle(result: RunResult): string {
  return result.status === "canceled" ? "Stopped:" : "Because of that:";
}

function toleratedSteps(result: RunResult): readonly string[] {
  return Object.entries(result.steps).flatMap(([id, step]) => (step.status === "failed" && step.tolerated ? [id] : []));
}

function totalsBlock({ result, criticalPath, workMs, style }: SummaryInput): readonly string[] {
  const lines = [`  ${totals(result)}`];
  if (criticalPath.steps.length > 1) {
    lines.push(`  critical path ${formatDuration(criticalPath.ms)}: ${pathText(criticalPath.steps, style)}`);
  }
  if (workMs > 0 && result.durationMs > 0) {
    const speedUp = (workMs / result.durationMs).toFixed(1);
    lines.push(
      `  speed-up ${speedUp}x: ${formatDuration(workMs)} of step time in ${formatDuration(result.durationMs)}`,
    );
  }
  return lines;
}

function totals(result: RunResult): string {
  const steps = Object.values(result.steps);
  const parts = (["completed", "failed", "skipped", "canceled"] as const).flatMap((status) => {
    const count = steps.filter((step) => step.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  const open = steps.filter(
    (step) => step.finishedAt === null && !["completed", "failed", "skipped", "canceled"].includes(step.status),
  ).length;
  const openPart = open === 0 ? [] : [`${open} not settled`];
  return `${countOf(steps.length, "step")}: ${[...parts, ...openPart].join(", ")}`;
}

/** A chain of steps with arrows; the middle of a long one is left out. */
function pathText(steps: readonly string[], style: Style): string {
  const arrow = style.unicode ? " → " : " -> ";
  const names = steps.map((id) => oneLine(id));
  const shown = names.length <= 8 ? names : [...names.slice(0, 4), "…", ...names.slice(-3)];
  return shown.join(arrow);
}
