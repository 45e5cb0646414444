import { quote } from "../definition/describe.ts";
import type { Definition, StepDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftStep } from "./draft.ts";

/**
 * Parts of a definition that not every host acts on: limits by key over runs, resources that workers declare, schedules, and
 * runners other than the worker's own machine.
 */
export type HostFeature = "keys" | "resources" | "schedules" | "docker" | "remote";

/**
 * Reports what the host would pass over in silence. A runner that it lacks is an error, because the step would run in another
 * place than its author said; a limit that it does not grant is a warning. `null`: the host is not known yet.
 */
export function checkHostFeatures(
  steps: readonly DraftStep[],
  { definition, features }: { readonly definition: Definition; readonly features: readonly HostFeature[] | null },
  report: Reading,
): void {
  if (features === null) return;
  const lacks = (feature: HostFeature): boolean => !features.includes(feature);
  const warn = (key: string, path: string): void => {
    const message =
      key === "concurrency"
        ? "The key is counted in each process by itself: other workers on the same store are not held back."
        : `${quote(key)} has no effect here: nothing in this version grants or counts it.`;
    report.warning({ code: "unsupported_feature", message, path });
  };
  if (definition.schedule !== undefined && lacks("schedules")) warn("schedule", `${definition.at}/schedule`);
  for (const { definition: step } of steps) {
    if (step === null) continue;
    if (step.concurrency !== undefined && lacks("keys")) warn("concurrency", `${step.at}/concurrency`);
    if (step.resources !== undefined && lacks("resources")) warn("resources", `${step.at}/resources`);
    checkRunner(step, features, report);
  }
}

function checkRunner(step: StepDefinition, features: readonly HostFeature[], report: Reading): void {
  const kind = step.runner?.["kind"];
  if ((kind !== "docker" && kind !== "remote") || features.includes(kind)) return;
  const message = `No worker here has a runner of kind ${quote(kind)}.`;
  const hint = "Leave `runner` out, or use `inline` or `process`, which run on the worker's own machine.";
  report.error({ code: "unsupported_feature", message, hint, path: `${step.at}/runner` });
}
