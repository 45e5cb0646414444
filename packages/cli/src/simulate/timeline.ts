import { countOf, formatDuration } from "../terminal/format.ts";
import { colorOf, markOf } from "../terminal/mark.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { fitTo, padBefore, padTo, widthOf } from "../terminal/width.ts";
import { plain } from "../view/change-text.ts";
import { isHeading, summarizeMembers } from "../view/run-view.ts";
import type { NodeView, RunView } from "../view/run-view.ts";

export interface TimelineOptions {
  readonly style: Style;
  readonly columns: number;
  readonly seed: number;
  /** Most attempts at the same time. */
  readonly peak: number;
  readonly workMs: number;
  readonly speedUp: number;
}

const timeWidth = "59m 59s".length;

/** A run as a picture in time: a line per step, with a bar from its start to its end. The view starts at time 0. */
export function renderTimeline(view: RunView, options: TimelineOptions): string {
  const { style } = options;
  const endMs = view.finishedAt ?? view.lastAt;
  const nodes = view.nodes.map((node) => (isHeading(node) ? { ...node, ...summarizeMembers(node.members) } : node));
  const labelWidth = Math.min(32, Math.max(4, ...nodes.map((node) => widthOf(labelOf(node)))));
  const barWidth = Math.max(10, options.columns - labelWidth - 2 * timeWidth - 10);
  const head = [padTo("STEP", labelWidth), padBefore("START", timeWidth), padBefore("END", timeWidth)].join("  ");
  const status = paint(
    style,
    colorOf(view.status),
    `${markOf(view.status, style)} ${oneLine(view.plan.workflow)} would be ${view.status}`,
  );
  return [
    `  ${head}`,
    ...nodes.map((node) => nodeLine(node, { endMs, labelWidth, barWidth, style })),
    "",
    `${status} after ${formatDuration(endMs)} of virtual time (seed ${options.seed})`,
    `  ${formatDuration(options.workMs)} of step time, at most ${countOf(options.peak, "task")} at a time, speed-up ${options.speedUp.toFixed(1)}x`,
    "",
  ].join("\n");
}

interface Scale {
  readonly endMs: number;
  readonly labelWidth: number;
  readonly barWidth: number;
  readonly style: Style;
}

function nodeLine(node: NodeView, scale: Scale): string {
  const { style, labelWidth } = scale;
  const mark = paint(style, colorOf(node.status), markOf(node.status, style));
  const label = padTo(fitTo(labelOf(node), labelWidth), labelWidth);
  if (node.startedAt === null || node.finishedAt === null) {
    const words = node.detail === null ? node.status : `${node.status}: ${plain(node.detail)}`;
    return `${mark} ${label}  ${" ".repeat(2 * timeWidth + 4)}${words}`;
  }
  const times = [node.startedAt, node.finishedAt].map((at) => padBefore(formatDuration(at), timeWidth)).join("  ");
  return `${mark} ${label}  ${times}  ${bar(node, node.startedAt, scale)}${notesOf(node)}`.trimEnd();
}

function labelOf(node: NodeView): string {
  return "  ".repeat(node.depth) + oneLine(node.label);
}

/** At least one column, so that a step that takes no time can still be seen. */
function bar(node: NodeView, startedAt: number, { endMs, barWidth, style }: Scale): string {
  const column = (at: number): number => (endMs === 0 ? 0 : Math.round((at / endMs) * barWidth));
  const start = Math.min(column(startedAt), barWidth - 1);
  const length = Math.max(1, column(node.finishedAt ?? startedAt) - start);
  const isOwner = node.members.length > 0;
  const character = style.unicode ? (isOwner ? "─" : "█") : isOwner ? "-" : "=";
  return " ".repeat(start) + paint(style, isOwner ? "gray" : colorOf(node.status), character.repeat(length));
}

function notesOf(node: NodeView): string {
  const parts = [
    ...(node.items === null ? [] : [countOf(node.items.completed + node.items.failed, "item")]),
    ...(node.attempt > 1 ? [`${node.attempt} attempts`] : []),
    ...(node.status === "failed" ? ["failed"] : []),
    ...(node.status === "canceled" ? [`canceled: ${plain(node.detail ?? "")}`] : []),
  ];
  return parts.length === 0 ? "" : `  ${parts.join(", ")}`;
}
