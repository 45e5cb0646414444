import type { Plan } from "../plan/plan.ts";
import { restoreRows, RunState } from "../state/run-state.ts";
import { RunRow } from "../state/rows.ts";
import type { RowChange, StepRow } from "../state/rows.ts";
import { rebuildAdmission } from "./admission.ts";
import type { Command } from "./command.ts";
import { allRows } from "./control.ts";
import { isTerminal } from "./status.ts";

/** A run that does not exist yet: apply `run.create` to it. */
export function createState(plan: Plan, runId: string): RunState {
  return new RunState(plan, runId, new RunRow());
}

/** A state from its rows, which it owns from here on. `ranks`: those that `run.start` named, or null. */
export function loadState(
  plan: Plan,
  runId: string,
  rows: { readonly run: RunRow; readonly steps: Iterable<StepRow>; readonly ranks: readonly number[] | null },
): RunState {
  const state = new RunState(plan, runId, rows.run);
  state.ranks = rows.ranks;
  for (const row of rows.steps) {
    if (row.task < 0) state.steps[row.step] = row;
    else state.mapState(row.step).rows[row.task] = row;
  }
  rebuildIndexes(state);
  return state;
}

/** Undoes transitions whose commit was refused. `changes` in the order in which they were made. */
export function restore(state: RunState, changes: readonly RowChange[]): void {
  restoreRows(state, changes);
  rebuildIndexes(state);
}

/** Replaces rows by newer ones of the store, after `restore`. */
export function replaceRows(
  state: RunState,
  rows: { readonly run: RunRow; readonly steps: Iterable<StepRow> },
): RunState {
  const all = new Map<string, StepRow>();
  for (const row of allRows(state)) all.set(`${row.step}/${row.task}`, row);
  for (const row of rows.steps) all.set(`${row.step}/${row.task}`, row);
  return loadState(state.plan, state.runId, { run: rows.run, steps: all.values(), ranks: state.ranks });
}

/** Makes every derived index anew. */
export function rebuildIndexes(state: RunState): void {
  state.resetIndexes();
  for (const map of state.maps.values()) {
    map.live.clear();
    while (map.ready.size > 0) map.ready.pop();
  }
  rebuildAdmission(state, [...allRows(state)]);
  openTimers(state);
  for (const row of state.steps) {
    if (row !== undefined && row.status === "pending" && row.firedSeq > 0 && !row.isEvaluating)
      state.fired.push(row.step);
  }
}

function openTimers(state: RunState): void {
  const { run, timers } = state;
  if (run.timeoutAt !== null) timers.push({ at: run.timeoutAt, step: -1, task: -1, kind: "timeout" });
  if (run.rateAt !== null) timers.push({ at: run.rateAt, step: -1, task: -1, kind: "rate" });
  for (const row of allRows(state)) {
    if (isTerminal(row.status)) continue;
    const { step, task } = row;
    if (row.timerAt !== null) timers.push({ at: row.timerAt, step, task, kind: row.timer! });
    if (row.rateAt !== null) timers.push({ at: row.rateAt, step, task, kind: "rate" });
    if (row.deadlineAt === null) continue;
    const isScope = task < 0 && state.plan.steps[step]!.body !== null;
    timers.push({ at: row.deadlineAt, step, task, kind: isScope ? "timeout" : "deadline" });
  }
}

/** What a loaded state still asks of its host: evaluations, signals, child runs and, in phase `output`, the output. */
export function pendingCommands(state: RunState): Command[] {
  const commands: Command[] = [];
  if (isTerminal(state.run.status)) return commands;
  for (const row of allRows(state)) {
    if (isTerminal(row.status)) continue;
    const { step, task, attempt } = row;
    if (row.isEvaluating) commands.push({ type: "evaluate", step, task });
    else if (row.status === "waiting" && row.timer === null && row.signal !== null) {
      commands.push({ type: "awaitSignal", step, task, name: row.signal });
    } else if (row.status === "waiting" && row.timer === null && state.plan.steps[step]!.kind === "child") {
      commands.push({ type: "startChild", step, task, attempt });
    }
  }
  if (state.run.phase === "output") commands.push({ type: "evaluate", step: -1, task: -1 });
  return commands;
}
