import { stderrStyle, stdoutStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCode } from "../exit-code.ts";
import { hasErrors, reportDiagnostics } from "../load/report-diagnostics.ts";
import { loadWorkflowFile } from "../load/workflow-file.ts";
import type { LoadedWorkflow } from "../load/workflow-file.ts";
import { reportError } from "../report-error.ts";
import { countOf } from "../terminal/format.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { markOf } from "../terminal/mark.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";

/** Checks all files and reports all problems of each. A file that cannot be read does not keep the others from being checked. */
export async function validate(
  context: CommandContext,
  files: readonly string[],
  options: { readonly json?: boolean },
): Promise<number> {
  const codes: number[] = [];
  for (const file of files) {
    try {
      const workflow = await loadWorkflowFile(context.io, file);
      report(context, workflow, options.json === true);
      codes.push(hasErrors(workflow) ? exitCode.usage : exitCode.ok);
    } catch (error) {
      codes.push(reportError(context.io, error));
    }
  }
  return Math.max(...codes);
}

function report(context: CommandContext, workflow: LoadedWorkflow, isJson: boolean): void {
  const { stdout, stderr } = context.io;
  const { file, diagnostics, plan } = workflow;
  if (isJson) {
    writeJsonLine(stdout, { type: "diagnostics", file, valid: !hasErrors(workflow), diagnostics });
    return;
  }
  reportDiagnostics(stderr, workflow, stderrStyle(context));
  if (plan === null || hasErrors(workflow)) return;
  const style = stdoutStyle(context);
  const steps = plan.steps.filter((step) => !step.hidden).length;
  stdout.write(
    `${paint(style, "green", `${markOf("completed", style)} ${oneLine(file)}`)}: workflow ${oneLine(plan.workflow)}, ${countOf(steps, "step")}\n`,
  );
}
