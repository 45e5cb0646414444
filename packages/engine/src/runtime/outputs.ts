import { itemRow, stepRow } from "@braid/core";
import type { JsonValue, RunState } from "@braid/core";
import type { Values } from "./value-cache.ts";

/** Gives the payload columns of a row; `step` -1 is the run's input. */
export type ReadValues = (step: number, task: number) => Values;

/**
 * The output of a step as others see it; undefined unless it has completed. Only tasks, child runs and signals have one
 * of their own; the others are put together when they are asked for, so nothing is stored twice:
 * - a map: its items' outputs in order, null for an item without one
 * - a block or group: its completed members' outputs by id
 * - a pure join: its satisfied sources' outputs by id; the entry of a graph: the run's input; a sleep: null
 */
export function outputOf(state: RunState, step: number, read: ReadValues): JsonValue | undefined {
  const row = stepRow(state, step);
  if (row?.status !== "completed") return undefined;
  const planStep = state.plan.steps[step]!;
  if (planStep.isMap) return mapOutput(state, step, read);
  switch (planStep.kind) {
    case "task":
    case "child":
    case "signal":
    case "approval":
      return read(step, -1).output ?? null;
    case "join":
      if (planStep.host.handler === "entrypoint") return read(-1, -1).output ?? null;
      return outputsById(state, row.triggeredBy ?? [], read);
    case "block":
    case "phase":
      return outputsById(state, state.plan.scopes[planStep.body!]!.members, read);
    case "sleep":
    case "pool":
      return null;
    default:
      return planStep.kind satisfies never;
  }
}

function mapOutput(state: RunState, step: number, read: ReadValues): JsonValue {
  const outputs: JsonValue[] = [];
  const count = stepRow(state, step)?.items ?? 0;
  for (let item = 0; item < count; item += 1) {
    const isCompleted = itemRow(state, step, item)?.status === "completed";
    outputs.push(isCompleted ? (read(step, item).output ?? null) : null);
  }
  return outputs;
}

/** A hidden group stands for its members: it has no id that anybody could write. */
function outputsById(state: RunState, steps: readonly number[], read: ReadValues): JsonValue {
  const outputs: Record<string, JsonValue> = {};
  for (const step of steps) {
    const planStep = state.plan.steps[step]!;
    if (planStep.hidden) {
      if (planStep.kind === "block") {
        Object.assign(outputs, outputsById(state, state.plan.scopes[planStep.body!]!.members, read));
      }
      continue;
    }
    const output = outputOf(state, step, read);
    if (output !== undefined) outputs[planStep.id] = output;
  }
  return outputs;
}
