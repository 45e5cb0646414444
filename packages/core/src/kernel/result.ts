import type { RunState } from "../state/run-state.ts";
import type { StepRow } from "../state/rows.ts";
import type { RunFailure } from "./status.ts";

/**
 * All failures that count for the run, in the order in which they happened: of each failed block its counted members, of
 * each failed map its counted items. A block that failed by itself (timeout, condition) stands for itself.
 */
export function failures(state: RunState): readonly RunFailure[] {
  const found: Found[] = [];
  const scopes = [0];
  for (const phase of [state.plan.phases.onSuccess, state.plan.phases.onFailure, state.plan.phases.finally]) {
    if (phase !== null && state.steps[phase]?.status === "failed") scopes.push(state.plan.steps[phase]!.body!);
  }
  for (let scope = scopes.pop(); scope !== undefined; scope = scopes.pop()) {
    for (const member of state.plan.scopes[scope]!.members) {
      const row = state.steps[member];
      if (row?.failure !== "counted") continue;
      const body = state.plan.steps[member]!.body;
      if (body === null || row.error?.code !== "scope_failed") found.push(ofStep(state, row));
      else if (state.plan.steps[member]!.isMap) found.push(...ofItems(state, row));
      else scopes.push(body);
    }
  }
  found.sort((a, b) => a.seq - b.seq || a.task - b.task);
  return found.map((entry) => entry.failure);
}

interface Found {
  readonly seq: number;
  readonly task: number;
  readonly failure: RunFailure;
}

function ofStep(state: RunState, row: StepRow): Found {
  const { code, message } = row.error!;
  return {
    seq: row.settledSeq,
    task: -1,
    failure: { step: state.plan.steps[row.step]!.id, task: null, code, message },
  };
}

function ofItems(state: RunState, owner: StepRow): readonly Found[] {
  const step = state.plan.steps[owner.step]!.id;
  const found: Found[] = [];
  for (const row of state.maps.get(owner.step)?.rows ?? []) {
    if (row?.failure !== "counted") continue;
    const { code, message } = row.error!;
    found.push({ seq: row.settledSeq, task: row.task, failure: { step, task: row.task, code, message } });
  }
  return found.length === 0 ? [ofStep(state, owner)] : found;
}
