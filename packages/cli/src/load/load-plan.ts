import type { Definition, Plan } from "@braid/core";
import { stderrStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { hasErrors, reportDiagnostics } from "./report-diagnostics.ts";
import { loadWorkflowFile } from "./workflow-file.ts";
import type { LoadedWorkflow } from "./workflow-file.ts";

/** A workflow that is known to be right. */
export interface ValidWorkflow extends LoadedWorkflow {
  readonly definition: Definition;
  readonly plan: Plan;
}

/**
 * Loads a file for a command that cannot do without its plan. Null when it is not valid: then everything wrong with it
 * has been reported, as a line of JSON where the command speaks JSON. Warnings go to stderr.
 */
export async function loadPlan(
  context: CommandContext,
  file: string,
  options: { readonly json?: boolean },
): Promise<ValidWorkflow | null> {
  const workflow = await loadWorkflowFile(context.io, file);
  const { definition, plan, diagnostics } = workflow;
  if (options.json === true && hasErrors(workflow))
    writeJsonLine(context.io.stdout, { type: "diagnostics", diagnostics });
  else reportDiagnostics(context.io.stderr, workflow, stderrStyle(context));
  return definition === null || plan === null || hasErrors(workflow) ? null : { ...workflow, definition, plan };
}
