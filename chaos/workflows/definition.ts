import { normalize } from "@braid/core";
import type { Definition, JsonObject } from "@braid/core";
import { keyCaps } from "../settings.ts";
import type { Action, StepSpec, TaskAction, WorkflowSpec } from "./spec.ts";

/** The definition of a specified workflow, as a file would give it. */
export function definitionOf(spec: WorkflowSpec): Definition {
  const { definition, diagnostics } = normalize(written(spec));
  if (definition !== null) return definition;
  throw new Error(`workflow ${spec.name}: ${diagnostics.map(({ message }) => message).join("; ")}`);
}

function written({ name, mode, steps, finally: last = [], ...more }: WorkflowSpec): JsonObject {
  const { maxConcurrent, timeoutMs, groupMax } = more;
  return {
    name,
    inputs: {
      yes: { type: "boolean", default: true },
      no: { type: "boolean", default: false },
      number: { type: "number" },
    },
    onFailure: mode,
    ...(maxConcurrent === undefined ? {} : { parallel: { maxConcurrent } }),
    ...(timeoutMs === undefined ? {} : { timeout: `${timeoutMs}ms` }),
    ...(groupMax === undefined ? {} : { concurrency: { group: "one", max: groupMax, onConflict: "queue" } }),
    steps: steps.map(stepOf),
    ...(last.length === 0 ? {} : { finally: last.map(stepOf) }),
  };
}

function stepOf(step: StepSpec): JsonObject {
  const { id, needs, join, when, isTolerated, startDelayMs, priority, sets } = step;
  return {
    id,
    dependsOn: needs.map((need) => (need.on === "success" ? need.step : { step: need.step, on: need.on })),
    ...(join === undefined ? {} : { join }),
    ...(when === undefined ? {} : { when: when ? "${{ inputs.yes }}" : "${{ inputs.no }}" }),
    ...(isTolerated === true ? { continueOnError: true } : {}),
    ...(startDelayMs === undefined ? {} : { startDelay: `${startDelayMs}ms` }),
    ...(priority === undefined ? {} : { priority }),
    ...(sets === true ? { set: { [id]: nonceOf(id), shared: nonceOf(id) } } : {}),
    ...actionOf(
      step.action,
      needs.map((need) => need.step),
    ),
  };
}

const nonceOf = (id: string): string => `\${{ steps.${id}.output.nonce }}`;

function actionOf(action: Action, sources: readonly string[]): JsonObject {
  switch (action.kind) {
    case "task":
      return taskOf(action, sources);
    case "join":
      return {};
    case "sleep":
      return { sleep: `${action.ms}ms` };
    case "signal":
      return { signal: action.name };
    case "child":
      return { workflow: action.workflow, with: { number: "${{ inputs.number }}" } };
    default:
      return action satisfies never;
  }
}

function taskOf(action: TaskAction, sources: readonly string[]): JsonObject {
  const { type, ms, failures, maxAttempts, retryDelayMs, queue, key, timeoutMs, items } = action;
  const { tolerates, mapConcurrent, looksAtContext = false } = action;
  return {
    type,
    with: { ms, failures, looksAt: [...sources], looksAtContext },
    ...(maxAttempts === 1 ? {} : { retry: { maxAttempts, delay: `${retryDelayMs}ms` } }),
    ...(queue === undefined ? {} : { queue }),
    ...(key === undefined ? {} : { concurrency: { key, max: keyCaps[key]! } }),
    ...(timeoutMs === undefined ? {} : { timeout: `${timeoutMs}ms` }),
    ...(items === undefined
      ? {}
      : {
          forEach: {
            items: items.map(({ ms: itemMs, fails }) => ({ ms: itemMs, fails })),
            ...(tolerates === undefined ? {} : { tolerateFailures: tolerates }),
            ...(mapConcurrent === undefined ? {} : { maxConcurrent: mapConcurrent }),
          },
        }),
  };
}
