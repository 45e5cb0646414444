import type { JsonValue, StepStatus } from "@braid/core";
import { formatDuration } from "../terminal/format.ts";
import { oneLine } from "../terminal/sanitize.ts";
import type { NodeView } from "./run-view.ts";
import { isObject, numberOf, textOf } from "./trace-line.ts";
import type { TraceLine } from "./trace-line.ts";

/** One change of a step in words, with the status whose mark and color it gets. */
export interface ChangeText {
  readonly status: StepStatus;
  readonly subject: string;
  readonly words: string;
}

/**
 * Words for an event of a step, after the view has taken it in. Null for events that say nothing a reader of a log
 * would miss: that a step is ready, or that an item of a map has started or is done.
 */
export function describeChange(line: TraceLine, node: NodeView): ChangeText | null {
  const subject = oneLine(node.label);
  const change = (status: StepStatus, words: string): ChangeText => ({ status, subject, words });
  switch (line.type) {
    case "step.started":
      return change("running", "started");
    case "step.waiting":
      return change("waiting", waitingWords(line));
    case "step.retrying":
      return { status: "waiting", subject: taskSubject(node, line), words: retryWords(line, node) };
    case "step.completed":
      return change("completed", `completed${inTime("in", node)}${itemWords(node)}`);
    case "step.failed":
      return change("failed", `failed${inTime("after", node)}${errorWords(line.data["error"])}${itemWords(node)}`);
    case "step.skipped":
      return change("skipped", `skipped: ${skipWords(line)}`);
    case "step.canceled":
      return change("canceled", `canceled${inTime("after", node)}: ${plain(textOf(line.data["cause"]) ?? "stopped")}`);
    default:
      return describeTask(line, node);
  }
}

function describeTask(line: TraceLine, node: NodeView): ChangeText | null {
  const subject = taskSubject(node, line);
  if (line.type === "task.lost") {
    return { status: "waiting", subject, words: `attempt ${line.attempt} lost: its worker has gone away` };
  }
  // The first attempt of a retried run has a number above 1 too; it is announced as the start of its step.
  if (line.type === "task.started" && line.attempt > 1 && node.startedAt !== null)
    return { status: "running", subject, words: `attempt ${line.attempt} started` };
  if (node.kind === "map" && line.type === "task.failed") {
    return { status: "failed", subject, words: `attempt ${line.attempt} failed${errorWords(line.data["error"])}` };
  }
  return null;
}

/** `deploy`, or `deploy[3]` for an item of a map. */
export function taskSubject(node: NodeView, line: Pick<TraceLine, "task">): string {
  return node.kind === "map" ? `${oneLine(node.label)}[${line.task}]` : oneLine(node.label);
}

function waitingWords(line: TraceLine): string {
  const { data, at } = line;
  const reason = textOf(data["reason"]) ?? "";
  const name = textOf(data["name"]);
  const until = Date.parse(textOf(data["until"]) ?? "");
  if (!Number.isNaN(until))
    return `waits ${formatDuration(until - at)}${reason === "delay" ? " before it starts" : ""}`;
  if (reason === "approval") return "waits for an approval";
  if (reason === "signal") return `waits for the signal ${oneLine(name ?? "")}`;
  return reason === "child" ? "waits for its child run" : `waits: ${plain(reason)}`;
}

function retryWords(line: TraceLine, node: NodeView): string {
  const delay = formatDuration(numberOf(line.data["delayMs"]) ?? 0);
  const error =
    node.kind === "map" || node.error === null ? "" : `: ${oneLine(`${node.error.code}: ${node.error.message}`)}`;
  return node.kind === "map" ? `again in ${delay}` : `attempt ${line.attempt} failed${error}; again in ${delay}`;
}

function errorWords(error: JsonValue | undefined): string {
  if (!isObject(error)) return "";
  return `: ${oneLine(`${textOf(error["code"]) ?? "error"}: ${textOf(error["message"]) ?? ""}`)}`;
}

function inTime(preposition: string, node: NodeView): string {
  if (node.startedAt === null || node.finishedAt === null) return "";
  return ` ${preposition} ${formatDuration(node.finishedAt - node.startedAt)}`;
}

function itemWords(node: NodeView): string {
  const { items } = node;
  if (items === null) return "";
  const failed = items.failed > 0 ? `, ${items.failed} failed` : "";
  return ` (${items.completed} of ${items.total ?? items.completed + items.failed + items.canceled} items completed${failed})`;
}

/** The reason, and the sources that are to blame where there are some. */
function skipWords(line: TraceLine): string {
  const reason = plain(textOf(line.data["reason"]) ?? "skipped");
  const dependencies = line.data["dependencies"];
  if (!Array.isArray(dependencies)) return reason;
  const sources = (dependencies as readonly JsonValue[]).flatMap((dependency) => {
    if (!isObject(dependency)) return [];
    const isToBlame = dependency["state"] === "dead" || dependency["state"] === "cut";
    const step = textOf(dependency["step"]) ?? "";
    // A hidden group has an id with a `/` that means nothing to anybody.
    return isToBlame && !step.includes("/") ? [oneLine(step)] : [];
  });
  return sources.length === 0 ? reason : `${reason} (${sources.join(", ")})`;
}

/** `upstream_failed` as words. */
export function plain(reason: string): string {
  return oneLine(reason).replaceAll("_", " ");
}
