import type { Definition, StepDefinition } from "@braid/core";
import type { StepTypeDefaults } from "../steps/define-step-type.ts";

/**
 * A definition in which steps of registered types have what their type asks for and they do not say themselves. A type
 * knows its work better than the workflow's `defaults` do, so it wins over those. The same definition if no type asks
 * for anything.
 */
export function withTypeDefaults(
  definition: Definition,
  defaultsOf: (type: string) => StepTypeDefaults | undefined,
): Definition {
  const visitAll = (steps: readonly StepDefinition[]): readonly StepDefinition[] => {
    const visited = steps.map(visit);
    return visited.every((step, index) => step === steps[index]) ? steps : visited;
  };
  const visit = (step: StepDefinition): StepDefinition => {
    const { action } = step;
    if (action.kind === "parallel") {
      const inner = visitAll(action.block.steps);
      return inner === action.block.steps
        ? step
        : { ...step, action: { ...action, block: { ...action.block, steps: inner } } };
    }
    return action.kind === "type" ? withDefaults(step, defaultsOf(action.type)) : step;
  };
  const { steps, onSuccess, onFailure, finally: last } = definition;
  const lists = {
    steps: visitAll(steps),
    onSuccess: visitAll(onSuccess),
    onFailure: visitAll(onFailure),
    finally: visitAll(last),
  };
  const isSame =
    lists.steps === steps && lists.onSuccess === onSuccess && lists.onFailure === onFailure && lists.finally === last;
  return isSame ? definition : { ...definition, ...lists };
}

function withDefaults(step: StepDefinition, defaults: StepTypeDefaults | undefined): StepDefinition {
  if (defaults === undefined) return step;
  const { retry, timeout, runner } = defaults;
  const added = {
    ...(step.retry === undefined && retry !== undefined ? { retry } : {}),
    ...(step.timeout === undefined && timeout !== undefined ? { timeout } : {}),
    ...(step.runner === undefined && runner !== undefined ? { runner } : {}),
  };
  return Object.keys(added).length === 0 ? step : { ...step, ...added };
}
