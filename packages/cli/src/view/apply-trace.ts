import type { RunStatus, StepStatus } from "@braid/core";
import { isObject, numberOf, readTraceLine, textOf } from "./trace-line.ts";
import type { TraceLine } from "./trace-line.ts";
import type { PublicTraceEvent } from "@braid/engine";
import { isSettled } from "./run-view.ts";
import type { NodeView, RunView } from "./run-view.ts";

/** Brings the view up to date with one event, and answers the node it was about. Unknown types and steps change nothing. */
export function applyTrace(
  view: RunView,
  event: PublicTraceEvent,
): { readonly line: TraceLine; readonly node: NodeView | undefined } {
  const line = readTraceLine(event);
  view.lastAt = Math.max(view.lastAt, line.at);
  if (line.step === null) {
    applyToRun(view, line);
    return { line, node: undefined };
  }
  const node = view.byId.get(line.step);
  if (node === undefined) return { line, node };
  if (line.type.startsWith("task.")) applyToTask(node, line);
  else applyToStep(node, line);
  return { line, node };
}

const runStatuses: Readonly<Record<string, RunStatus>> = {
  "run.queued": "queued",
  "run.started": "running",
  "run.paused": "paused",
  "run.resumed": "running",
  "run.completed": "completed",
  "run.failed": "failed",
  "run.canceled": "canceled",
};

function applyToRun(view: RunView, line: TraceLine): void {
  const status = runStatuses[line.type];
  if (status === undefined) return;
  // A run that goes on after it had ended was retried; which steps are open again, their own events say.
  if (view.finishedAt !== null && status !== "completed" && status !== "failed" && status !== "canceled") {
    view.finishedAt = null;
    view.epoch += 1;
    view.startedAt = null;
  }
  view.status = status;
  if (status === "queued") view.queuedAt ??= line.at;
  else if (line.type === "run.started") view.startedAt ??= line.at;
  else if (status === "completed" || status === "failed" || status === "canceled") view.finishedAt = line.at;
}

const stepStatuses: Readonly<Record<string, StepStatus>> = {
  "step.ready": "ready",
  "step.started": "running",
  "step.waiting": "waiting",
  "step.retrying": "waiting",
  "step.completed": "completed",
  "step.failed": "failed",
  "step.skipped": "skipped",
  "step.canceled": "canceled",
};

function applyToStep(node: NodeView, line: TraceLine): void {
  const status = stepStatuses[line.type];
  if (status === undefined) return;
  if (line.type === "step.retrying" && node.items !== null) {
    // One item of a map waits for its next attempt: the map itself goes on.
    node.items.failed -= 1;
    return;
  }
  if (isSettled(node.status) && !isSettled(status)) reopen(node);
  // Once per epoch, and only of a step that begins anew: a map that goes on with some of its items has none.
  if (line.type === "step.ready" && node.items !== null) node.items.completed = 0;
  node.status = status;
  node.detail = detailOf(line);
  node.dueAt = dueAtOf(line);
  if (line.type === "step.started") node.startedAt ??= line.at;
  if (node.items !== null) node.items.total ??= numberOf(line.data["items"]) ?? null;
  if (!isSettled(status)) return;
  node.finishedAt = line.at;
  if (status === "failed") node.error = errorOf(line);
  endAll(node, line.at);
}

/** A step of an earlier epoch that runs again. Items that had completed keep their result. */
function reopen(node: NodeView): void {
  node.startedAt = null;
  node.finishedAt = null;
  node.error = null;
  node.workMs = 0;
  if (node.items !== null) {
    node.items.failed = 0;
    node.items.canceled = 0;
  }
}

function applyToTask(node: NodeView, line: TraceLine): void {
  const { items } = node;
  if (line.type === "task.started") {
    if (isSettled(node.status)) {
      reopen(node);
      node.status = "running";
    }
    node.running.set(line.task, line.at);
    if (items === null) node.attempt = line.attempt;
    if (node.status === "ready" || node.status === "waiting") node.status = "running";
    node.dueAt = null;
    node.detail = null;
    return;
  }
  const startedAt = node.running.get(line.task);
  if (startedAt !== undefined) {
    node.running.delete(line.task);
    node.workMs += line.at - startedAt;
  }
  if (line.type === "task.failed") node.error = errorOf(line);
  if (items === null) return;
  if (line.type === "task.completed") items.completed += 1;
  else if (line.type === "task.failed") items.failed += 1;
  else if (line.type === "task.canceled") items.canceled += 1;
}

/** A host that stops a step need not report each attempt that went down with it. */
function endAll(node: NodeView, at: number): void {
  for (const startedAt of node.running.values()) node.workMs += at - startedAt;
  node.running.clear();
}

function dueAtOf({ type, at, data }: TraceLine): number | null {
  if (type === "step.retrying") return at + (numberOf(data["delayMs"]) ?? 0);
  const until = Date.parse(textOf(data["until"]) ?? "");
  return Number.isNaN(until) ? null : until;
}

function detailOf(line: TraceLine): string | null {
  const { data } = line;
  return textOf(data["reason"]) ?? textOf(data["cause"]) ?? textOf(data["for"]) ?? null;
}

function errorOf(line: TraceLine): NodeView["error"] {
  const error = line.data["error"];
  if (!isObject(error)) return null;
  return { code: textOf(error["code"]) ?? "unknown", message: textOf(error["message"]) ?? "" };
}
