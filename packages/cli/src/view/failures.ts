import type { Plan } from "@braid/core";
import type { RunResult, StepResultView } from "@braid/engine";

/**
 * The failures that started it all: failed steps that nobody tolerated and that did not merely fail because something
 * inside them did. The first to end stands first.
 */
export function rootFailures(plan: Plan, result: RunResult): readonly string[] {
  const roots = plan.steps.filter((step) => {
    const outcome = result.steps[step.id];
    if (outcome === undefined || outcome.status !== "failed" || outcome.tolerated) return false;
    return step.body === null || step.isMap || !holdsFailure(plan, step.body, result);
  });
  const endOf = (id: string): string => result.steps[id]?.finishedAt ?? "";
  return roots.map((step) => step.id).toSorted((a, b) => (endOf(a) < endOf(b) ? -1 : Number(endOf(a) > endOf(b))));
}

/** What was lost because of them: steps skipped or stopped against their will, and blocks that failed from within. */
export function takenDown(plan: Plan, result: RunResult): readonly string[] {
  const roots = new Set(rootFailures(plan, result));
  const isFailed = result.status !== "completed";
  return plan.steps.flatMap((step) => {
    const outcome = result.steps[step.id];
    if (outcome === undefined || roots.has(step.id) || outcome.tolerated) return [];
    return (isFailed && outcome.status === "failed") || outcome.status === "canceled" || isLost(outcome)
      ? [step.id]
      : [];
  });
}

function isLost(step: StepResultView): boolean {
  const { skipReason } = step;
  return (
    step.status === "skipped" &&
    (skipReason === "upstream_failed" || skipReason === "scope_failed" || skipReason === "run_canceled")
  );
}

/** Whether a member of the scope, at any depth, failed without being tolerated. */
function holdsFailure(plan: Plan, scope: number, result: RunResult): boolean {
  const members = plan.scopes[scope]?.members ?? [];
  return members.some((index) => {
    const member = plan.steps[index];
    if (member === undefined) return false;
    const outcome = result.steps[member.id];
    if (outcome?.status === "failed" && !outcome.tolerated) return true;
    return member.body !== null && holdsFailure(plan, member.body, result);
  });
}
