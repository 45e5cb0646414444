import type { JsonObject, Plan } from "@braid/core";
import type { CommandContext } from "../command-context.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { readDuration } from "../input/duration.ts";
import { checkDeclared, readInputs } from "../input/input-values.ts";
import { readEnvFile, readObjectFile } from "../input/read-data-file.ts";
import { runOverrides } from "../input/run-overrides.ts";
import type { LogChoice } from "../view/reporter.ts";
import { isFileArgument, loadWorkflowFile } from "../load/workflow-file.ts";
import type { LoadedWorkflow } from "../load/workflow-file.ts";
import { hasErrors, reportDiagnostics } from "../load/report-diagnostics.ts";

export interface RunCommandOptions {
  readonly input?: readonly string[];
  readonly inputFile?: string;
  readonly envFile?: string;
  readonly maxConcurrent?: number;
  readonly timeout?: string;
  readonly failFast?: boolean;
  readonly store?: string;
  readonly ephemeral?: boolean;
  readonly resume?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly logs?: LogChoice;
  readonly detach?: boolean;
}
