import { hasItemToStart } from "../kernel/admission.ts";
import { edgeState } from "../kernel/edge.ts";
import { isTerminal } from "../kernel/status.ts";
import type { RunState } from "./run-state.ts";
import { isOnlyWithdrawn } from "./rows.ts";
import type { StepRow } from "./rows.ts";

/** Why a step that has not settled is not further along. `until` is an instant in milliseconds since 1970. */
export type PendingReason =
  | { readonly kind: "running"; readonly attempt: number }
  | { readonly kind: "members"; readonly remaining: number }
  | { readonly kind: "worker" }
  | { readonly kind: "stopping" }
  | { readonly kind: "slot"; readonly scope: number }
  | { readonly kind: "rate"; readonly scope: number; readonly until: number | null }
  | { readonly kind: "timer"; readonly timer: "delay" | "retry" | "sleep"; readonly until: number }
  | { readonly kind: "signal"; readonly name: string }
  | { readonly kind: "child" }
  | { readonly kind: "evaluation" }
  | { readonly kind: "paused" }
  | { readonly kind: "dependencies"; readonly steps: readonly string[] }
  | { readonly kind: "block"; readonly step: string }
  /** A group whose members have all settled waits for steps outside it that may still handle a failure in it. */
  | { readonly kind: "handlers"; readonly steps: readonly string[] };

/** Null for a step that has settled, or that belongs to a phase that has not come. */
export function pendingReason(state: RunState, step: number): PendingReason | null {
  const row = state.steps[step];
  if (state.plan.steps[step]!.kind === "pool") return null;
  if (row !== undefined && isTerminal(row.status)) return null;
  if (row === undefined || row.status === "pending") return beforeReady(state, step, row);
  switch (row.status) {
    case "queued":
      return row.stopCause === null || isOnlyWithdrawn(row.stopCause) ? { kind: "worker" } : { kind: "stopping" };
    case "waiting":
      return whileWaiting(row);
    case "ready":
    case "running":
      return whileActive(state, row);
    default:
      return null;
  }
}

function beforeReady(state: RunState, step: number, row: StepRow | undefined): PendingReason | null {
  if (row?.isEvaluating === true) return { kind: "evaluation" };
  if (row !== undefined && row.firedSeq > 0) return { kind: "paused" };
  const planStep = state.plan.steps[step]!;
  if (planStep.kind === "phase") return null;
  const open = planStep.incoming.filter((edge) => edgeState(state, edge) === "unresolved");
  if (open.length > 0) {
    return { kind: "dependencies", steps: open.map((edge) => state.plan.steps[state.plan.edges[edge]!.from]!.id) };
  }
  const { owner } = state.plan.scopes[planStep.scope]!;
  if (owner < 0 || state.plan.steps[owner]!.kind === "phase") return null;
  return { kind: "block", step: state.plan.steps[owner]!.id };
}

function whileWaiting(row: StepRow): PendingReason {
  if (row.timer !== null) return { kind: "timer", timer: row.timer, until: row.timerAt! };
  if (row.stopCause !== null) return { kind: "stopping" };
  if (row.signal !== null) return { kind: "signal", name: row.signal };
  return { kind: "child" };
}

function whileActive(state: RunState, row: StepRow): PendingReason | null {
  const step = state.plan.steps[row.step]!;
  if (step.body !== null) {
    if (row.remaining === 0) return handlersReason(state, step.body);
    if (step.isMap && hasItemToStart(state, row.step))
      return slotReason(state, row.step) ?? { kind: "members", remaining: row.remaining };
    return { kind: "members", remaining: row.remaining };
  }
  if (row.status === "running")
    return row.stopCause === null ? { kind: "running", attempt: row.attempt } : { kind: "stopping" };
  return slotReason(state, row.step);
}

function handlersReason(state: RunState, body: number): PendingReason | null {
  const handlers = new Set<number>();
  for (const member of state.plan.scopes[body]!.members) {
    if (state.steps[member]?.failure !== "pending") continue;
    for (const handler of state.index.handlers[member]!) {
      if (!isTerminal(state.steps[handler]?.status ?? "pending")) handlers.add(handler);
    }
  }
  if (handlers.size === 0) return null;
  return { kind: "handlers", steps: [...handlers].map((handler) => state.plan.steps[handler]!.id) };
}

/** The innermost scope around the step that has no room, or whose rate limit says wait. */
function slotReason(state: RunState, step: number): PendingReason | null {
  if (state.run.pausedAt !== null) return { kind: "paused" };
  for (let scope = state.plan.steps[step]!.slots; scope >= 0; scope = state.plan.scopes[scope]!.parent) {
    const planScope = state.plan.scopes[scope]!;
    const cap = scope === 0 ? (state.run.maxConcurrent ?? planScope.maxConcurrent) : planScope.maxConcurrent;
    if (cap !== null && state.scopes[scope]!.active >= cap) return { kind: "slot", scope };
    if (state.rateBlocked.has(scope)) {
      const until = scope === 0 ? state.run.rateAt : (state.steps[planScope.owner]?.rateAt ?? null);
      return { kind: "rate", scope, until };
    }
  }
  return null;
}
