import { stdoutStyle } from "../command-context.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCode } from "../exit-code.ts";
import { writeJsonLine } from "../terminal/json-line.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { renderPlan, reportPlan } from "./plan.ts";
import type { PreparedRun } from "./prepare-run.ts";

/** Says what a run would do, with the input and the limits it would have. Nothing is written and nothing runs. */
export function dryRun(context: CommandContext, prepared: PreparedRun, options: { readonly json?: boolean }): number {
  const { plan, input, overrides } = prepared;
  const { maxConcurrent = Number.POSITIVE_INFINITY, timeoutMs = null, mode } = overrides;
  const report = reportPlan(plan, { durations: undefined, source: "none", maxConcurrent });
  const { stdout } = context.io;
  if (options.json === true) {
    writeJsonLine(stdout, {
      type: "plan",
      ...report,
      run: { input, timeoutMs, mode: mode ?? plan.scopes[0]?.mode ?? "fail_all" },
    });
    return exitCode.ok;
  }
  const inputs = Object.entries(input).map(
    ([name, value]) => `  ${oneLine(name)} = ${oneLine(JSON.stringify(value), 200)}`,
  );
  const given = inputs.length === 0 ? [] : ["", "Input", ...inputs];
  stdout.write(`${[renderPlan(report, stdoutStyle(context)), ...given, "", "Dry run: nothing has run."].join("\n")}\n`);
  return exitCode.ok;
}
