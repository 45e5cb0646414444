import { criticalPath } from "@braid/core";
import type { Plan } from "@braid/core";
import type { NodeView, RunView } from "./run-view.ts";
import type { SummaryInput } from "./summary.ts";

/**
 * What the times of a run add up to: all its work, and the longest chain of steps that had to wait for each other. Of a run that
 * was retried, only what ran since.
 */
export function measure(plan: Plan, view: RunView): Pick<SummaryInput, "criticalPath" | "workMs"> {
  const durations = new Map(view.nodes.map((node) => [node.id, hasRun(node, view) ? elapsedOf(node) : 0]));
  const { path, ms } = criticalPath(plan, durations);
  const workMs = view.nodes.reduce((sum, node) => sum + (hasRun(node, view) ? workOf(node) : 0), 0);
  return { criticalPath: { steps: path, ms }, workMs };
}

const hasRun = (node: NodeView, view: RunView): boolean =>
  node.finishedAt !== null && node.finishedAt >= (view.startedAt ?? 0);

/** From the first start of a step to its end, waits between attempts included. Owners of members have no time of their own. */
function elapsedOf(node: NodeView): number {
  if (node.members.length > 0 || node.startedAt === null || node.finishedAt === null) return 0;
  return node.finishedAt - node.startedAt;
}

/** Time that attempts ran; for steps without attempts, such as a sleep, the time they waited. */
function workOf(node: NodeView): number {
  return node.workMs > 0 || node.kind === "map" ? node.workMs : elapsedOf(node);
}
