import { printable } from "../../definition/describe.ts";
import type { Plan, PlanEdge, PlanStep, RateLimit } from "../plan.ts";

/** What a drawing says about a step beside its id: its name where that differs, and all that is out of the ordinary. */
export function detailsOf(plan: Plan, step: PlanStep): readonly string[] {
  const { id, name, kind, isMap, hidden, join, host, incoming, onError, body } = step;
  const details: string[] = [];
  if (name !== id && !hidden) details.push(printable(name));
  if (kind !== "task" && kind !== "block" && kind !== "phase") details.push(kindOf(step));
  if (isMap) details.push("for each item");
  if (join.kind !== "all") details.push(joinText(step));
  if (host.control.when !== undefined) details.push("conditional");
  if (onError !== "fail") details.push(onError === "continue" ? "may fail" : "failure skips dependents");
  for (const edge of incoming) {
    const text = edgeText(plan, plan.edges[edge]!);
    if (text !== null) details.push(text);
  }
  if (body !== null) details.push(...scopeDetails(plan, body));
  return details;
}

/** How a drawing calls a step. A group has no id that an author wrote. */
export function titleOf({ id, name, hidden }: PlanStep): string {
  return printable(hidden ? name : id);
}

function kindOf({ kind, sleepMs, signal, host }: PlanStep): string {
  if (kind === "sleep" && host.control.sleep === undefined) return `sleep ${durationText(sleepMs)}`;
  if (kind === "signal" && signal !== null) return `signal ${printable(signal)}`;
  if (kind === "child") return `workflow ${printable(host.control.workflow ?? "")}`;
  if (kind === "join" && host.handler !== "") return host.handler;
  return kind;
}

function joinText({ join, incoming }: PlanStep): string {
  return join.kind === "quorum" ? `${join.quorum} of ${incoming.length}` : `join ${join.kind}`;
}

/** What an edge that is not a plain "after" or "needs" says; null for those. */
function edgeText(plan: Plan, { from, on, origin, port }: PlanEdge): string | null {
  const source = titleOf(plan.steps[from]!);
  if (on === "failure") return `on failure of ${source}`;
  // In `finally` every order edge is one.
  if (on === "settled" && origin !== "order" && origin !== "group") return `whatever becomes of ${source}`;
  return port === null ? null : `port ${printable(port)} of ${source}`;
}

function scopeDetails(plan: Plan, body: number): readonly string[] {
  const { kind, owner, mode, maxConcurrent, rateLimit, timeoutMs } = plan.scopes[body]!;
  const details: string[] = [];
  // Groups have one mode only, and `fail_all` is what a block without a word has.
  if (kind === "block" && !plan.steps[owner]!.hidden && mode !== "fail_all") details.push(mode);
  if (maxConcurrent !== null) details.push(`at most ${maxConcurrent} at once`);
  if (rateLimit !== null) details.push(rateText(rateLimit));
  if (timeoutMs !== null) details.push(`timeout ${durationText(timeoutMs)}`);
  return details;
}

function rateText({ count, perMs }: RateLimit): string {
  return `at most ${count} in ${durationText(perMs)}`;
}

const UNITS = [
  [3_600_000, "h"],
  [60_000, "m"],
  [1000, "s"],
  [1, "ms"],
] as const;

/** A duration in the largest unit that divides it: `90s`, `2m`, `1h`. */
function durationText(ms: number): string {
  const [size, unit] = UNITS.find(([length]) => ms >= length && ms % length === 0) ?? [1, "ms"];
  return `${ms / size}${unit}`;
}
