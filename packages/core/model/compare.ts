import { edgeState } from "../src/kernel/edge.ts";
import { isTerminal } from "../src/kernel/status.ts";
import type { StepError } from "../src/kernel/status.ts";
import type { StepKind } from "../src/plan/plan.ts";
import { itemRow, stepRow } from "../src/state/run-state.ts";
import type { RunState } from "../src/state/run-state.ts";
import type { StepRow } from "../src/state/rows.ts";
import { visibleSteps } from "../src/state/view.ts";
import { edgeOf } from "./naive-edges.ts";
import { errorOf, failuresOf } from "./naive-result.ts";
import { sightOf } from "./naive-sight.ts";
import type { NaiveState, NaiveStep, NaiveTask } from "./naive-state.ts";
import { wakeOf } from "./naive-timer.ts";
import { isSettled } from "./naive-state.ts";

/** What is compared of a run: one line per fact, so that a difference reads as two lines. */
export type View = ReadonlyMap<string, string>;

export function viewOfKernel(state: RunState): View {
  const { plan, run } = state;
  const view = new Map<string, string>();
  view.set("run", `${run.status} ${run.phase} epoch=${run.epoch}`);
  view.set("run.wakeAt", String(run.wakeAt));
  view.set("run.tolerated", String(run.toleratedFailures));
  view.set("scope 0 rate", String(run.rateAt));
  if (run.phase === "done") {
    const failures = run.failures.map(({ step, task, code }) => `${step}${task === null ? "" : `[${task}]`} ${code}`);
    view.set("run.failures", `${failures.join(", ")} error=${run.error?.code ?? ""}`);
  }
  for (const step of plan.steps) {
    const row = stepRow(state, step.index);
    if (step.kind === "pool") {
      view.set(`scope ${step.body} rate`, String(row?.rateAt ?? null));
      continue;
    }
    const { owner } = plan.scopes[step.scope]!;
    const isOver = owner >= 0 && isTerminal(stepRow(state, owner)?.status ?? "pending");
    const line = row === undefined ? UNTOUCHED : describeRow(row, step.kind);
    // What a block holds that has settled is told by the block.
    view.set(step.id, isOver ? line.replace(" failure=lost", "") : line);
    if (row === undefined) continue;
    if (step.body !== null) view.set(`scope ${step.body} rate`, String(row.rateAt));
    if (row.triggeredBy !== null && !(row.status === "skipped" && row.triggeredBy.length === 0))
      view.set(`${step.id} sees`, visibleSteps(state, step.index).join());
    view.set(`${step.id}.join`, `triggeredBy=${[...new Set(row.triggeredBy)].join(",")} cut=${row.isCut}`);
    // The items of a map that was skipped before it began have rows only if an earlier epoch left some.
    const items = row.status === "skipped" ? 0 : (row.items ?? 0);
    for (let item = 0; item < items; item += 1) {
      const one = itemRow(state, step.index, item);
      if (one !== undefined) view.set(`${step.id}[${item}]`, describeRow(one, step.kind));
    }
    if (step.isMap && row.items !== null) {
      view.set(
        `${step.id}.items`,
        `completed=${row.completedItems} failed=${row.failedItems} skipped=${row.skippedItems} canceled=${row.canceledItems}`,
      );
    }
  }
  for (const { index } of plan.edges) view.set(`edge ${index}`, edgeState(state, index));
  return view;
}

export function viewOfModel(state: NaiveState): View {
  const { plan, run } = state;
  const view = new Map<string, string>();
  const tolerated = state.steps
    .flatMap((step): NaiveTask[] => [step, ...(step.items ?? [])])
    .filter(({ failure }) => failure === "tolerated").length;
  view.set("run", `${run.status} ${run.phase} epoch=${run.epoch}`);
  view.set("run.wakeAt", String(wakeOf(state)));
  if (run.phase === "done") view.set("run.failures", `${failuresOf(state).join(", ")} error=${errorOf(state)}`);
  for (const [index, { rateAt }] of state.scopes.entries()) view.set(`scope ${index} rate`, String(rateAt));
  view.set("run.tolerated", String(tolerated));
  for (const step of state.steps) {
    if (step.plan.kind === "pool") continue;
    const { id, isMap } = step.plan;
    const { timeoutAt = null } = step.plan.body === null || isMap ? {} : state.scopes[step.plan.body]!;
    const { owner } = plan.scopes[step.plan.scope]!;
    const line = describeTask(step, timeoutAt ?? step.deadlineAt);
    view.set(id, owner >= 0 && isSettled(state.steps[owner]!) ? line.replace(" failure=lost", "") : line);
    view.set(`${id}.join`, describeJoin(step));
    if (step.firedOrder > 0 && !(step.status === "skipped" && step.triggeredBy?.length === 0))
      view.set(`${id} sees`, sightOf(state, step).join());
    for (const item of step.items ?? []) view.set(`${id}[${item.task}]`, describeTask(item));
    if (isMap && step.itemCount !== null) {
      const count = (status: string): number => (step.items ?? []).filter((item) => item.status === status).length;
      view.set(
        `${id}.items`,
        `completed=${count("completed")} failed=${count("failed")} skipped=${count("skipped")} canceled=${count("canceled")}`,
      );
    }
  }
  for (const edge of plan.edges) view.set(`edge ${edge.index}`, edgeOf(state, edge));
  return view;
}

const UNTOUCHED = "pending";

function describeRow(row: StepRow, kind: StepKind): string {
  const { status, timer, timerAt, deadlineAt, failure, attempt } = row;
  const isPlain = status === "pending" || (status === "ready" && row.task >= 0);
  const stopCause =
    row.stopCause === null ? "" : ` cause=${row.stopCause === "scope_stopped" ? "withdrawn" : row.stopCause}`;
  return [
    kind === "phase" && !isTerminal(status) ? "pending" : isPlain ? "pending" : status,
    row.skipReason ?? "",
    status === "skipped" ? "" : stopCause,
    row.error === null ? "" : `error=${row.error.code}${causeOf(row.error)}`,
    failure === "none" || row.task >= 0 || kind === "phase" ? "" : `failure=${failure}`,
    attempt === 0 ? "" : `attempt=${attempt}`,
    row.attemptsUsed === 0 ? "" : `used=${row.attemptsUsed}`,
    row.lost === 0 ? "" : `lost=${row.lost}`,
    timer === null ? "" : `${timer}@${timerAt}`,
    deadlineAt === null || isTerminal(status) ? "" : `deadline@${deadlineAt}`,
    row.isEvaluating && !isTerminal(status) ? "evaluating" : "",
    row.startedAt === null || isTerminal(status) ? "" : "started",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function describeTask(task: NaiveTask, deadlineAt = task.deadlineAt): string {
  const { status, timer, failure, attempt } = task;
  const cause = task.cause === null ? "" : ` cause=${task.cause}`;
  return [
    task.plan.kind === "phase" && !isTerminal(status) ? "pending" : status,
    task.skipReason ?? "",
    status === "skipped" ? "" : cause,
    task.error === null ? "" : `error=${task.error.code}${causeOf(task.error)}`,
    failure === "none" || task.task >= 0 || task.plan.kind === "phase" ? "" : `failure=${failure}`,
    attempt === 0 ? "" : `attempt=${attempt}`,
    task.used === 0 ? "" : `used=${task.used}`,
    task.lost === 0 ? "" : `lost=${task.lost}`,
    timer === null ? "" : `${timer.kind}@${timer.at}`,
    deadlineAt === null ? "" : `deadline@${deadlineAt}`,
    task.isEvaluating ? "evaluating" : "",
    task.isStarted && !isSettled(task) ? "started" : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

const causeOf = ({ cause }: StepError): string =>
  cause === undefined ? "" : ` because of ${cause.step} ${cause.code}`;

const describeJoin = (step: NaiveStep): string => `triggeredBy=${step.triggeredBy?.join(",") ?? ""} cut=${step.isCut}`;

/**
 * The facts that differ, or none. A rate timer may stay open although nobody waits for it any more, so the model only
 * asks that there is one wherever somebody waits, and that nothing else wakes the run.
 */
export function differences(kernel: View, model: View): string[] {
  const lines: string[] = [];
  for (const [key, value] of kernel) {
    const other = model.get(key) ?? (key.endsWith("rate") ? "null" : "-");
    // Items of an earlier epoch have rows although the map has not come so far again.
    if (key.endsWith("]") && other === "-" && /^(pending|skipped)/.test(value)) continue;
    if (other === value || (key.endsWith("rate") && other === "null")) continue;
    if (key === "run.wakeAt" && value === earliestRate(kernel)) continue;
    lines.push(`${key}: kernel ${value} | model ${other}`);
  }
  return lines;
}

/** The earliest open rate timer. */
function earliestRate(view: View): string {
  const instants = [...view]
    .filter(([key, value]) => key.endsWith("rate") && value !== "null")
    .map(([, value]) => Number(value));
  return instants.length === 0 ? "none" : String(Math.min(...instants));
}
