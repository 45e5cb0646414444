import { formatDuration, countOf } from "../terminal/format.ts";
import { colorOf, markOf, spinnerFrame } from "../terminal/mark.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { fitTo, padBefore, padTo, widthOf } from "../terminal/width.ts";
import { plain } from "./change-text.ts";
import { foldRows } from "./fold.ts";
import type { FoldedKind } from "./fold.ts";
import { countSteps, isHeading, summarizeMembers } from "./run-view.ts";
import type { NodeView, RunView } from "./run-view.ts";

export interface TableOptions {
  readonly now: number;
  readonly columns: number;
  /** Lines the table may take. */
  readonly rows: number;
  readonly style: Style;
  /** A line below the table, such as what Ctrl-C did. */
  readonly notice?: string;
}

const statusWidth = "completed".length;
const timeWidth = "59m 59s".length;

/** The live table as lines, each narrower than the screen: one for the run, then one per step. */
export function renderTable(view: RunView, options: TableOptions): readonly string[] {
  const { columns, style } = options;
  // A line that fills the last column wraps on some terminals and not on others.
  const width = Math.max(1, columns - 1);
  const nodes = view.nodes.map(withHeadingState);
  const notice = options.notice === undefined ? [] : [paint(style, "yellow", fitTo(options.notice, width))];
  const rows = foldRows(nodes, options.rows - 1 - notice.length);
  const labelWidth = labelColumn(nodes, width);
  const body = rows.map((row) =>
    row.kind === "node"
      ? nodeLine(row.node, labelWidth, options)
      : paint(style, "gray", `  … ${foldedWords(row.what, row.count)}`),
  );
  return [headLine(view, options), ...body, ...notice].map((line) => fitTo(line, width));
}

/** Groups and phases take their status from their members. */
function withHeadingState(node: NodeView): NodeView {
  return isHeading(node) ? { ...node, ...summarizeMembers(node.members) } : node;
}

function headLine(view: RunView, { now, style }: TableOptions): string {
  const counts = countSteps(view.nodes);
  const from = view.startedAt ?? view.queuedAt ?? now;
  const parts = [
    paint(style, "bold", oneLine(view.plan.workflow)),
    paint(style, colorOf(view.status), view.status),
    formatDuration((view.finishedAt ?? now) - from),
    `${counts.settled} of ${countOf(counts.total, "step")} settled`,
  ];
  return parts.join("  ");
}

function nodeLine(node: NodeView, labelWidth: number, options: TableOptions): string {
  const { style, now } = options;
  const mark = node.status === "running" ? spinnerFrame(now, style) : markOf(node.status, style);
  const color = colorOf(node.status);
  const label = "  ".repeat(node.depth) + oneLine(node.name);
  const time = node.startedAt === null ? "" : formatDuration((node.finishedAt ?? now) - node.startedAt);
  const line = [
    ` ${paint(style, color, mark)}`,
    paint(style, color, padTo(node.status, statusWidth)),
    padTo(fitTo(label, labelWidth), labelWidth),
    padBefore(time, timeWidth),
    notes(node, now),
  ].join(" ");
  return line.trimEnd();
}

/** What there is to say beside status and time: counts, attempt, why it waits or was stopped. */
function notes(node: NodeView, now: number): string {
  const parts: string[] = [];
  if (node.items !== null) parts.push(...itemNotes(node));
  else if (node.members.length > 0) parts.push(memberNote(node));
  if (node.attempt > 1)
    parts.push(node.maxAttempts > 1 ? `attempt ${node.attempt} of ${node.maxAttempts}` : `attempt ${node.attempt}`);
  if (node.dueAt !== null) parts.push(dueWords(node.dueAt - now, node.detail));
  else if (node.detail !== null && node.status !== "running") parts.push(plain(node.detail));
  if (node.status === "failed" && node.error !== null)
    parts.push(oneLine(`${node.error.code}: ${node.error.message}`, 200));
  return parts.length === 0 ? "" : ` ${parts.join(", ")}`;
}

/** A retry has no reason of its own; a delay and a sleep do. */
function dueWords(ms: number, detail: string | null): string {
  return detail === null ? `again in ${formatDuration(ms)}` : `${formatDuration(ms)} to go`;
}

function itemNotes(node: NodeView): readonly string[] {
  const { items } = node;
  if (items === null || (items.total === null && node.running.size === 0 && items.completed === 0)) return [];
  const parts = [items.total === null ? `${items.completed} completed` : `${items.completed} of ${items.total}`];
  if (node.running.size > 0) parts.push(`${node.running.size} running`);
  if (items.failed > 0) parts.push(`${items.failed} failed`);
  if (items.canceled > 0) parts.push(`${items.canceled} canceled`);
  return parts;
}

function memberNote(node: NodeView): string {
  const counts = countSteps(node.members);
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : "";
  return `${counts.settled} of ${counts.total}${failed}`;
}

/** As wide as the longest label, but never so wide that status and time do not fit beside it. */
function labelColumn(nodes: readonly NodeView[], width: number): number {
  const longest = Math.max(0, ...nodes.map((node) => 2 * node.depth + widthOf(oneLine(node.name))));
  return Math.max(4, Math.min(longest, Math.floor(width * 0.5)));
}

function foldedWords(what: FoldedKind, count: number): string {
  if (what === "finished") return `${count} finished`;
  return what === "pending" ? `${count} pending` : `${count} more running or waiting`;
}
