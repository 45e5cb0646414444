import { isTerminal } from "../src/kernel/status.ts";
import { pendingReason } from "../src/state/pending-reason.ts";
import type { PendingReason } from "../src/state/pending-reason.ts";
import { stepRow } from "../src/state/run-state.ts";
import type { RunState } from "../src/state/run-state.ts";
import type { Host } from "./host.ts";

/** Steps whose reason to wait is missing, or is not what the host sees. */
export function wrongReasons(state: RunState, host: Host): string[] {
  const { plan, run } = state;
  if (run.status === "queued" || isTerminal(run.status)) return [];
  const waiting = plan.steps.filter(({ index, kind }) => kind !== "pool" && kind !== "phase" && isOpen(state, index));
  const problems = waiting.flatMap(({ index, id }) => {
    const reason = pendingReason(state, index);
    if (reason === null) return [`\`${id}\` has not settled, and nothing says why`];
    return isTrue(state, host, { step: index, reason })
      ? []
      : [`\`${id}\` waits for ${JSON.stringify(reason)}, which is not so`];
  });
  const isAtWork = waiting.length > 0 || host.evaluations.length > 0 || host.isPaused;
  return isAtWork ? problems : ["the run has not ended, and no step of it waits"];
}

/** Whether a step has not settled, in a list that has been reached. */
function isOpen(state: RunState, step: number): boolean {
  const status = stepRow(state, step)?.status ?? "pending";
  const { owner } = state.plan.scopes[state.plan.steps[step]!.scope]!;
  if (isTerminal(status)) return false;
  if (owner < 0) return true;
  if (state.plan.steps[owner]!.kind !== "phase") return isOpen(state, owner);
  const isReached = state.run.phase === (owner === state.plan.phases.finally ? "finally" : "hooks");
  return isReached && !isTerminal(stepRow(state, owner)?.status ?? "pending");
}

function isTrue(state: RunState, host: Host, { step, reason }: { step: number; reason: PendingReason }): boolean {
  const row = stepRow(state, step);
  const tasks = [-1, ...Array.from({ length: row?.items ?? 0 }, (_, item) => item)];
  const attempts = [...host.attempts.values()].filter((attempt) => attempt.step === step);
  const isOwed = (held: ReadonlyMap<string, { readonly step: number; readonly task: number }>): boolean =>
    [...held.values()].some((one) => one.step === step && tasks.includes(one.task));
  switch (reason.kind) {
    case "running":
      return attempts.some(({ isStarted }) => isStarted);
    case "worker":
      return attempts.some(({ isStarted }) => !isStarted);
    case "stopping":
      return attempts.some(({ cancel }) => cancel !== "none") || isOwed(host.children);
    case "members":
      return reason.remaining > 0;
    case "slot":
      return !host.isPaused && isFull(state, host, reason.scope);
    case "rate":
      return state.plan.scopes[reason.scope]!.rateLimit !== null;
    case "timer":
      return tasks.some((task) => host.timers.get(`${step}:${task}:${reason.timer}`)?.at === reason.until);
    case "signal":
      return isOwed(host.signals);
    case "child":
      return isOwed(host.children);
    case "evaluation":
      return host.evaluations.some((one) => one.step === step);
    case "paused":
      return host.isPaused;
    case "dependencies":
      return reason.steps.length > 0 && reason.steps.every((id) => isUnsettled(state, id));
    case "block":
      return isUnsettled(state, reason.step);
    case "handlers":
      return reason.steps.length > 0 && reason.steps.every((id) => isUnsettled(state, id));
    default:
      return reason satisfies never;
  }
}

function isUnsettled(state: RunState, id: string): boolean {
  const step = state.plan.steps.find((one) => one.id === id);
  return step !== undefined && !isTerminal(stepRow(state, step.index)?.status ?? "pending");
}

function isFull(state: RunState, host: Host, scope: number): boolean {
  const { maxConcurrent } = state.plan.scopes[scope]!;
  const cap = scope === 0 ? (state.run.maxConcurrent ?? maxConcurrent) : maxConcurrent;
  const open = [...host.attempts.values()].filter(({ step }) => {
    let around = state.plan.steps[step]!.slots;
    while (around >= 0 && around !== scope) around = state.plan.scopes[around]!.parent;
    return around === scope;
  });
  return cap !== null && open.length >= cap;
}
