import { quote } from "../definition/describe.ts";
import type { Definition } from "../definition/model.ts";
import { nearestName } from "../definition/nearest.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftStep } from "./draft.ts";

/** Step types that every worker has. */
const BUILT_IN_TYPES = ["command", "http", "sleep", "approval", "signal"] as const;

/** Reports types that are neither built in, nor bound to a command by `types:`, nor registered. `null`: nobody knows yet. */
export function checkTypes(
  steps: readonly DraftStep[],
  { definition, registered }: { readonly definition: Definition; readonly registered: readonly string[] | null },
  report: Reading,
): void {
  if (registered === null) return;
  const known = new Set<string>([...BUILT_IN_TYPES, ...Object.keys(definition.types), ...registered]);
  for (const step of steps) {
    const action = step.definition?.action;
    if (action?.kind !== "type" || known.has(action.type)) continue;
    const near = nearestName(action.type, known);
    report.error({
      code: "unknown_step_type",
      message: `There is no step type ${quote(action.type)}.`,
      hint:
        near === undefined
          ? "Register it with `defineStepType`, or bind it to a command under `types:`."
          : `Did you mean ${quote(near)}?`,
      path: `${step.at}/type`,
    });
  }
}
