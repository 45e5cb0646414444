import { quote } from "../definition/describe.ts";
import type { Definition, StepDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import type { DraftStep } from "./draft.ts";
import type { Incoming } from "./joins.ts";
import type { CollectedReads } from "./references.ts";

/** What a block cannot have, because its members have it. */
const NOT_ON_BLOCKS = ["retry", "deadline", "forEach"] as const;

/** Reports settings that have no meaning where they stand, whichever way the definition was written. */
export function checkSettings(definition: Definition, steps: readonly DraftStep[], report: Reading): void {
  if (typeof definition.timeout === "string") {
    report.error({
      code: "invalid_value",
      message: "The timeout of a workflow is a constant: its clock starts before anything is evaluated.",
      path: `${definition.at}/timeout`,
    });
  }
  for (const { definition: step } of steps) {
    if (step === null) continue;
    if (step.action.kind === "parallel") checkBlock(step, report);
    else if (step.forEach !== undefined) checkMap(step, report);
  }
}

function checkBlock(step: StepDefinition, report: Reading): void {
  for (const key of NOT_ON_BLOCKS) {
    if (step[key] === undefined) continue;
    report.error({
      code: "invalid_value",
      message: `The block ${quote(step.id)} cannot have \`${key}\`.`,
      hint: "Write it at the members, or make the block a workflow of its own and call that.",
      path: `${step.at}/${key}`,
    });
  }
}

function checkMap({ id, action, at }: StepDefinition, report: Reading): void {
  if (action.kind !== "none" && action.kind !== "entrypoint") return;
  report.error({
    code: "invalid_value",
    message: `${quote(id)} has \`forEach\` and nothing to do for each item.`,
    hint: "Give it an action, such as `run`.",
    path: `${at}/forEach`,
  });
}

/** Reports expressions that name `error` in a step that no failure starts. */
export function checkErrorReads({ errors }: CollectedReads, incoming: Incoming, report: Reading): void {
  for (const { reader, text, path } of errors) {
    if (reader.list.phase === "onFailure" || handlesFailure(reader, incoming)) continue;
    report.error({
      code: "unknown_reference",
      message: `${quote(reader.id)} reads \`${text}\`, which only a step that handles a failure has.`,
      hint: "Depend on a step with `on: failure`, or read `steps.<id>.error`.",
      path,
    });
  }
}

/** Whether a step, or a block around it, can start because another one failed. */
function handlesFailure(step: DraftStep, incoming: Incoming): boolean {
  for (let around: DraftStep | null = step; around !== null; around = around.list.owner) {
    if (around.definition?.join?.kind === "settled") return true;
    if (
      incoming[around.index]!.some(({ on, origin }) => on === "failure" || (on === "settled" && origin === "explicit"))
    ) {
      return true;
    }
  }
  return false;
}
