import { isTerminal } from "./status.ts";
import type { Work } from "./work.ts";
import { allRows } from "./control.ts";

/** Makes the counters of the run and of all scopes under way anew from the rows; after a retry has put rows back. */
export function recount(work: Work): void {
  recountRun(work);
  for (const scope of work.plan.scopes) {
    if (scope.kind === "run" || scope.kind === "pool") continue;
    const status = work.state.steps[scope.owner]?.status;
    if (status !== "running" && status !== "ready") continue;
    if (scope.kind === "map") recountItems(work, scope.owner);
    else recountMembers(work, scope.index);
  }
}

function recountRun(work: Work): void {
  const run = work.touchRun();
  const { members } = work.plan.scopes[0]!;
  run.remaining = members.filter((member) => isOpen(work, member)).length;
  run.countedFailures = members.filter((member) => failsScope(work, member)).length;
  run.toleratedFailures = 0;
  const steps = { completed: 0, failed: 0, skipped: 0, canceled: 0 };
  for (const row of allRows(work.state)) {
    if (row.failure === "tolerated") run.toleratedFailures += 1;
    if (row.task >= 0 || work.step(row.step).hidden || !isTerminal(row.status)) continue;
    steps[row.status as keyof typeof steps] += 1;
  }
  run.completedSteps = steps.completed;
  run.failedSteps = steps.failed;
  run.skippedSteps = steps.skipped;
  run.canceledSteps = steps.canceled;
}

function recountMembers(work: Work, scope: number): void {
  const { owner, members } = work.plan.scopes[scope]!;
  const row = work.touchStep(owner);
  row.remaining = members.filter((member) => isOpen(work, member)).length;
  row.countedFailures = members.filter((member) => failsScope(work, member)).length;
}

function recountItems(work: Work, owner: number): void {
  const row = work.touchStep(owner);
  if (row.items === null) return;
  const rows = work.state.maps.get(owner)?.rows ?? [];
  const open = rows.filter((item) => item !== undefined && item.task < row.nextItem && !isTerminal(item.status)).length;
  row.remaining = open + row.items - row.nextItem;
  row.countedFailures = 0;
}

function failsScope(work: Work, step: number): boolean {
  const failure = work.state.steps[step]?.failure;
  return failure === "counted" || failure === "lost";
}

function isOpen(work: Work, step: number): boolean {
  const row = work.state.steps[step];
  return row === undefined || !isTerminal(row.status);
}
