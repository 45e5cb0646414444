import type { PlanStep } from "../plan/plan.ts";
import type { StepRow } from "../state/rows.ts";
import { resolveEdge } from "./edge.ts";
import { markEnd } from "./failure.ts";
import { skip } from "./settle.ts";
import { isTerminal } from "./status.ts";
import type { SkipReason } from "./status.ts";
import type { Work } from "./work.ts";

/**
 * When a step with incoming edges may start. The rows count resolved edges by what they became; a join is decided when one
 * of its edges has changed, and exactly once.
 *
 * | join | starts | is skipped |
 * |---|---|---|
 * | all | every edge resolved, none dead or cut, one satisfied | at the first dead or cut edge; or all neutral |
 * | any, first | one edge is satisfied | all resolved, none satisfied |
 * | quorum n | n edges are satisfied | satisfied + unresolved < n |
 * | settled | every edge resolved (each reads as satisfied) | only when its scope is stopped |
 */

/** Resolves the outgoing edges of a step that has settled. */
export function resolveOutgoing(work: Work, step: number): void {
  const source = work.state.steps[step]!;
  for (const index of work.step(step).outgoing) {
    const edge = work.plan.edges[index]!;
    const state = resolveEdge(work.plan, edge, source);
    const target = work.state.steps[edge.to];
    if (target !== undefined && (target.firedSeq > 0 || isTerminal(target.status))) {
      // Late: the join is decided. Only a failure that comes to one already given up has still reached an end.
      if (state === "dead" && isEnd(source, target)) markEnd(work, source);
      continue;
    }
    work.touchStep(edge.to)[state] += 1;
    work.queueJoin(edge.to);
  }
}

/** A step that was given up before its source settled, or whose own branch has reached an end since. */
function isEnd(source: StepRow, target: StepRow): boolean {
  if (target.status !== "skipped" || target.firedSeq > 0) return false;
  return target.settledSeq < source.settledSeq || target.reachedEnd;
}

/** Decides the join of a step, if it is still open. */
export function decideJoin(work: Work, step: number): void {
  work.state.queuedJoin[step] = 0;
  const row = work.state.steps[step]!;
  if (row.status !== "pending" || row.firedSeq > 0) return;
  const planStep = work.step(step);
  switch (verdict(planStep, row)) {
    case "wait":
      return;
    case "skip":
      skipJoin(work, planStep, row);
      return;
    case "fire":
      if (mayFire(work, planStep)) fire(work, step);
      else skip(work, step, { reason: "scope_failed" });
  }
}

function verdict(step: PlanStep, row: StepRow): "wait" | "fire" | "skip" {
  const { satisfied, dead, cut } = row;
  const unresolved = step.incoming.length - satisfied - dead - cut - row.neutral;
  switch (step.join.kind) {
    case "all":
      if (dead + cut > 0) return "skip";
      if (unresolved > 0) return "wait";
      return satisfied > 0 ? "fire" : "skip";
    case "settled":
      return unresolved > 0 ? "wait" : "fire";
    case "any":
    case "first":
      if (satisfied > 0) return "fire";
      return unresolved > 0 ? "wait" : "skip";
    case "quorum":
      if (satisfied >= step.join.quorum) return "fire";
      return satisfied + unresolved < step.join.quorum ? "skip" : "wait";
    default:
      return step.join.kind satisfies never;
  }
}

/** In a scope that has stopped, only a member with a satisfied failure or settled edge still starts. */
function mayFire(work: Work, step: PlanStep): boolean {
  const scope = work.plan.scopes[step.scope]!;
  const stop = scope.owner < 0 ? work.run.stop : work.state.steps[scope.owner]!.stop;
  if (stop === "none") return true;
  if (stop === "outside" || stop === "outside_soft") return false;
  return isRescued(work, step);
}

export function isRescued(work: Work, step: PlanStep): boolean {
  if (!work.state.index.isRescuer[step.index]) return false;
  return step.incoming.some((index) => {
    const edge = work.plan.edges[index]!;
    const source = work.state.steps[edge.from];
    if (source === undefined || source.settledSeq === 0) return false;
    const readsSettled = edge.on === "settled" || step.join.kind === "settled";
    return readsSettled || (edge.on === "failure" && source.status === "failed");
  });
}

/** The join fires. From here on the step sees what has settled, and late edges change nothing. */
export function fire(work: Work, step: number): void {
  const planStep = work.step(step);
  const row = work.touchStep(step);
  row.firedSeq = ++work.touchRun().settleSeq;
  row.triggeredBy = planStep.incoming.length === 0 ? [] : satisfiedSources(work, planStep);
  if (planStep.join.cancelRest) work.races.push(step);
  work.state.fired.push(step);
}

function satisfiedSources(work: Work, step: PlanStep): readonly number[] {
  const sources: number[] = [];
  for (const index of step.incoming) {
    const edge = work.plan.edges[index]!;
    const source = work.state.steps[edge.from];
    if (source === undefined || source.settledSeq === 0) continue;
    if (resolveEdge(work.plan, edge, source) !== "satisfied") continue;
    // Only edges that leave ports may come from one source more than once.
    if (edge.port === null || !sources.includes(edge.from)) sources.push(edge.from);
  }
  return sources;
}

function skipJoin(work: Work, step: PlanStep, row: StepRow): void {
  const reason = skipReason(work, step, row);
  const isCut = reason === "upstream_skipped" && row.cut > 0;
  skip(work, step.index, { reason, isCut });
}

function skipReason(work: Work, step: PlanStep, row: StepRow): SkipReason {
  if (row.dead > 0) return "upstream_failed";
  if (row.cut > 0) return "upstream_skipped";
  const isAnySkipped = step.incoming.some(
    (index) => work.state.steps[work.plan.edges[index]!.from]?.status === "skipped",
  );
  return isAnySkipped ? "upstream_skipped" : "branch_not_taken";
}
