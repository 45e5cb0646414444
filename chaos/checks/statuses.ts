import type { Evidence } from "./evidence.ts";
import { allowed, predict } from "./model.ts";
import type { Facts } from "./model.ts";
import type { RunEvidence } from "./records.ts";
import { allSteps } from "../workflows/spec.ts";
import type { Violation } from "./violation.ts";

/** I6: runs and steps ended as the model says. */
export function checkStatuses(evidence: Evidence): readonly Violation[] {
  const children = childStatuses(evidence);
  const askedToCancel = new Set(evidence.journal.flatMap((entry) => (entry.type === "cancel" ? [entry.run] : [])));
  return [...evidence.runs.values()].flatMap((record) => {
    const spec = evidence.specs.get(record.run.workflow);
    if (spec === undefined || record.run.finished_at === null) return [];
    const { run, plan, steps } = record;
    const isCanceled = run.status === "canceled";
    const prediction = predict(spec, {
      lost: lostOf(record),
      children: children.get(run.id) ?? new Map<string, string>(),
    });
    const found: Violation[] = [];
    const complain = (text: string): void =>
      void found.push({ invariant: "I6", run: run.id, text: `${spec.name}: ${text}` });
    const mayBeCanceled = askedToCancel.has(run.id) || run.parent_run_id !== null;
    if (isCanceled ? !mayBeCanceled : run.status !== prediction.run)
      complain(`the run is ${run.status}, the model says ${prediction.run}`);
    for (const { id } of allSteps(spec)) {
      const { index } = plan.steps.find((step) => step.id === id)!;
      const status = steps.find((row) => row.step_index === index && row.task_index === -1)?.status ?? "pending";
      const expected = prediction.steps.get(id)!;
      const may = isCanceled ? [...expected].flatMap((one) => allowed(one, true)) : [...expected];
      if (!may.includes(status)) complain(`step \`${id}\` is ${status}, the model says ${[...expected].join(" or ")}`);
    }
    return found;
  });
}

function lostOf({ plan, steps }: RunEvidence): Facts["lost"] {
  const lost = steps.filter(({ error, status }) => status === "failed" && error?.code === "lost_lease");
  return new Set(
    lost.map(({ step_index: index, task_index: task }) => `${plan.steps[index]!.id}${task < 0 ? "" : `[${task}]`}`),
  );
}

/** How the latest child run of each step ended, by parent. */
function childStatuses({ runs }: Evidence): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const statuses = new Map<string, Map<string, string>>();
  for (const { run } of runs.values()) {
    const parent = run.parent_run_id === null ? undefined : runs.get(run.parent_run_id);
    if (parent === undefined) continue;
    const own = statuses.get(parent.run.id) ?? new Map<string, string>();
    statuses.set(parent.run.id, own.set(parent.plan.steps[run.parent_step!]!.id, run.status));
  }
  return statuses;
}
