import { holdsSlots } from "../kernel/admission.ts";
import { allRows } from "../kernel/control.ts";
import { resolveEdge } from "../kernel/edge.ts";
import { isTerminal } from "../kernel/status.ts";
import { pendingReason } from "./pending-reason.ts";
import type { RunState } from "./run-state.ts";
import type { StepRow } from "./rows.ts";

/**
 * What must hold after every transition. Answers all violations as sentences; none: an empty list. O(steps + edges), so
 * tests and the store boundary use it, not the hot path.
 */
function violations(state: RunState): readonly string[] {
  const found: string[] = [];
  if (isTerminal(state.run.status)) checkTerminal(state, found);
  else if (state.run.traceSeq > 0) checkReason(state, found);
  checkCaps(state, found);
  checkEdges(state, found);
  checkScopes(state, found);
  checkCounts(state, found);
  return found;
}

/** Throws with all violations. */
export function checkInvariants(state: RunState): void {
  const found = violations(state);
  if (found.length > 0) throw new Error(`Run \`${state.runId}\` is inconsistent:\n- ${found.join("\n- ")}`);
}

const nameOf = (state: RunState, row: StepRow): string =>
  row.task < 0 ? `\`${state.plan.steps[row.step]!.id}\`` : `\`${state.plan.steps[row.step]!.id}\`[${row.task}]`;

function checkTerminal(state: RunState, found: string[]): void {
  for (const step of state.plan.steps) {
    const row = state.steps[step.index];
    if (step.kind === "pool") continue;
    if (row === undefined || !isTerminal(row.status)) {
      found.push(`the run is ${state.run.status}, but step \`${step.id}\` is ${row?.status ?? "untouched"}`);
    }
  }
  for (const row of allRows(state)) {
    const isItem = row.task >= 0 && row.task < (state.steps[row.step]?.items ?? 0);
    if (isItem && !isTerminal(row.status))
      found.push(`the run is over, but item ${nameOf(state, row)} is ${row.status}`);
  }
}

function checkReason(state: RunState, found: string[]): void {
  if (state.run.status !== "running") return;
  const isWaiting = state.plan.steps.some((step) => pendingReason(state, step.index) !== null);
  if (!isWaiting && state.run.phase !== "output") found.push("the run is not over, and nothing says what it waits for");
}

function checkCaps(state: RunState, found: string[]): void {
  const active = state.plan.scopes.map(() => 0);
  for (const row of allRows(state)) {
    if (!holdsSlots(state, row)) continue;
    for (let scope = state.plan.steps[row.step]!.slots; scope >= 0; scope = state.plan.scopes[scope]!.parent)
      active[scope]! += 1;
  }
  for (const scope of state.plan.scopes) {
    const count = active[scope.index]!;
    const cap = scope.index === 0 ? (state.run.maxConcurrent ?? scope.maxConcurrent) : scope.maxConcurrent;
    if (cap !== null && count > cap) found.push(`scope ${scope.index} has ${count} slots in use of ${cap}`);
    const counted = state.scopes[scope.index]!.active;
    if (counted !== count) found.push(`scope ${scope.index} counts ${counted} slots in use, a scan finds ${count}`);
  }
}

/** Counters of a step equal a scan of the edges that were resolved when its join was decided. */
function checkEdges(state: RunState, found: string[]): void {
  for (const row of state.steps) {
    // After a retry, sources may have settled anew behind a join that was decided before and stays so.
    if (row === undefined || (state.run.epoch > 1 && (isTerminal(row.status) || row.firedSeq > 0))) continue;
    const decidedAt = row.firedSeq > 0 ? row.firedSeq : row.settledSeq > 0 ? row.settledSeq : Infinity;
    const scan = { satisfied: 0, dead: 0, neutral: 0, cut: 0 };
    for (const index of state.plan.steps[row.step]!.incoming) {
      const edge = state.plan.edges[index]!;
      const source = state.steps[edge.from];
      if (source === undefined || source.settledSeq === 0 || source.settledSeq > decidedAt) continue;
      scan[resolveEdge(state.plan, edge, source)] += 1;
    }
    if (row.status === "skipped" && row.firedSeq === 0 && isTakenDown(state, row)) continue;
    for (const key of ["satisfied", "dead", "neutral", "cut"] as const) {
      if (row[key] !== scan[key])
        found.push(`${nameOf(state, row)} counts ${row[key]} ${key} edges, a scan finds ${scan[key]}`);
    }
  }
}

/** Skipped without a decision of its join: with its block, or by a stop. */
function isTakenDown(state: RunState, row: StepRow): boolean {
  if (row.skipReason === "scope_failed" || row.skipReason === "run_canceled" || row.skipReason === "join_lost")
    return true;
  const { owner } = state.plan.scopes[state.plan.steps[row.step]!.scope]!;
  return owner >= 0 && state.steps[owner]?.status === "skipped";
}

function checkScopes(state: RunState, found: string[]): void {
  for (const scope of state.plan.scopes) {
    if (scope.kind === "pool" || scope.kind === "map") continue;
    const owner = scope.owner < 0 ? state.run : state.steps[scope.owner];
    if (owner === undefined || (scope.owner >= 0 && owner.status !== "running" && owner.status !== "ready")) continue;
    if (scope.owner < 0 && state.run.traceSeq === 0) continue;
    const open = scope.members.filter((member) => !isTerminal(state.steps[member]?.status ?? "pending")).length;
    if (open !== owner.remaining)
      found.push(`scope ${scope.index} counts ${owner.remaining} open members, a scan finds ${open}`);
  }
}

function checkCounts(state: RunState, found: string[]): void {
  const scan = { completed: 0, failed: 0, skipped: 0, canceled: 0 };
  for (const row of state.steps) {
    if (row === undefined || state.plan.steps[row.step]!.hidden || !isTerminal(row.status)) continue;
    scan[row.status as keyof typeof scan] += 1;
  }
  const { completedSteps, failedSteps, skippedSteps, canceledSteps } = state.run;
  const counted = { completed: completedSteps, failed: failedSteps, skipped: skippedSteps, canceled: canceledSteps };
  for (const status of ["completed", "failed", "skipped", "canceled"] as const) {
    if (scan[status] !== counted[status]) {
      found.push(`the run counts ${counted[status]} ${status} steps, a scan finds ${scan[status]}`);
    }
  }
}
