import type { FailureMode } from "../plan/plan.ts";
import { listNames, quote } from "./describe.ts";
import { readDuration } from "./duration.ts";
import { readCommand, readEnvironment, readSecrets } from "./environment.ts";
import { isList, isObject, membersOf, readFields } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { FAILURE_MODES } from "./for-each.ts";
import { readWorkflowName } from "./identity.ts";
import { readInputs } from "./inputs.ts";
import { isActionType } from "./action.ts";
import { readCap, readRateLimit, readRunConcurrency } from "./limits.ts";
import type { Definition, StepDefinition, TypeDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readRetry } from "./retry.ts";
import { readPriority } from "./settings.ts";
import { readExtraSteps } from "./step.ts";
import {
  readAnyText,
  readBoolean,
  readData,
  readObject,
  readText,
  readTemplateText,
  readWord,
  reportExpected,
  reportMisplaced,
} from "./values.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** What a workflow's own list of steps and a graph say each in their way. */
export type Body = Pick<Definition, "steps" | "pools" | "order" | "inputs">;

/** Everything of a workflow beside its body. */
export type Frame = Omit<Definition, keyof Body>;

/** Reads the keys that a list of steps and a graph have in common. `defaultName` stands in for a name that is not written. */
export function readFrame(reading: Reading, fields: Fields, defaultName: string): Frame {
  const name = fields.get("name");
  const workflowName = (name && readWorkflowName(reading, name)) ?? defaultName;
  const { mode, onFailure, parallel } = readFailure(reading, fields);
  const description = fields.get("description");
  const timeout = fields.get("timeout");
  const output = fields.get("output");
  const priority = fields.get("priority");
  return withoutUndefined({
    definitionVersion: 1 as const,
    name: workflowName,
    description: description && readAnyText(reading, description),
    env: readEnvironment(reading, fields.get("env")),
    secrets: readSecrets(reading, fields.get("secrets")),
    defaults: readDefaults(reading, fields.get("defaults")),
    parallel,
    mode,
    timeout: timeout && readDuration(reading, timeout, 1),
    onSuccess: readExtraSteps(reading, fields.get("onSuccess")),
    onFailure,
    finally: readExtraSteps(reading, fields.get("finally")),
    output: output && readData(reading, output),
    concurrency: readRunConcurrency(reading, fields.get("concurrency"), workflowName),
    priority: (priority && readPriority(reading, priority)) ?? 0,
    schedule: readSchedule(reading, fields.get("schedule")),
    types: readTypes(reading, fields.get("types")),
    at: "",
  });
}

/** Inputs as declared, or `otherwise` where nothing is. */
export function readInputsOr(reading: Reading, fields: Fields, otherwise: Definition["inputs"]): Definition["inputs"] {
  const field = fields.get("inputs");
  return field === undefined ? otherwise : readInputs(reading, field);
}

interface Failure {
  readonly mode: FailureMode;
  readonly onFailure: readonly StepDefinition[];
  readonly parallel: Definition["parallel"];
}

/** `onFailure` is a mode or a list of steps; `failFast` is the older word for a mode. */
function readFailure(reading: Reading, fields: Fields): Failure {
  const parallel = fields.get("parallel");
  const config = parallel && readFields(reading, parallel, "parallelConfig");
  const onFailure = fields.get("onFailure");
  const isHandlers = onFailure !== undefined && (isList(onFailure.value) || isObject(onFailure.value));
  const mode = onFailure === undefined || isHandlers ? undefined : readMode(reading, onFailure);
  const failFast = config?.get("failFast");
  const isFailFast = failFast && readBoolean(reading, failFast);
  const fastMode: FailureMode | undefined = isFailFast === undefined ? undefined : isFailFast ? "fail_all" : "continue";
  if (failFast !== undefined && mode !== undefined && fastMode !== undefined && mode !== fastMode) {
    const problem = `means ${quote(fastMode)}, and \`onFailure\` says ${quote(mode)}`;
    reportMisplaced(reading, failFast, { problem, hint: "Keep one of them." });
  }
  return {
    mode: mode ?? fastMode ?? "fail_all",
    onFailure: isHandlers ? readExtraSteps(reading, onFailure) : [],
    parallel: withoutUndefined({
      maxConcurrent: readCap(reading, config?.get("maxConcurrent")),
      rateLimit: readRateLimit(reading, config?.get("rateLimit")),
    }),
  };
}

function readMode(reading: Reading, field: Field): FailureMode | undefined {
  if (typeof field.value === "string") return readWord(reading, field, FAILURE_MODES);
  const what = `${listNames(FAILURE_MODES, "or")}, or a list of steps`;
  return reportExpected(reading, field, { what });
}

function readDefaults(reading: Reading, field: Field | undefined): Definition["defaults"] {
  const fields = field && readFields(reading, field, "defaults");
  const timeout = fields?.get("timeout");
  return withoutUndefined({
    retry: readRetry(reading, fields?.get("retry")),
    timeout: timeout && readDuration(reading, timeout, 1),
  });
}

/** When runs start by themselves: a cron expression, a mapping, or a list of these. Hosts with a clock read it. */
function readSchedule(reading: Reading, field: Field | undefined): Definition["schedule"] {
  if (field === undefined) return undefined;
  const { value } = field;
  const entries = isList(value) ? value : [value];
  if (entries.every((entry) => typeof entry === "string" || isObject(entry))) return value;
  return reportExpected(reading, field, {
    what: "a cron expression, a mapping or a list of these",
    hint: 'For instance `schedule: "0 3 * * *"`.',
  });
}

/** Step types that this file binds to commands. */
function readTypes(reading: Reading, field: Field | undefined): Definition["types"] {
  const object = field && readObject(reading, field);
  if (object === undefined || field === undefined) return {};
  const types: { [name: string]: TypeDefinition } = {};
  for (const [name, member] of membersOf(field, object)) {
    if (isActionType(name)) {
      const problem = "is a built-in type and keeps its meaning";
      reportMisplaced(reading, member, { problem, hint: "Choose another name for the type." });
    }
    const type = readType(reading, member);
    if (type !== undefined) types[name] = type;
  }
  return types;
}

function readType(reading: Reading, field: Field): TypeDefinition | undefined {
  const fields = readFields(reading, field, "typeBinding");
  if (fields === undefined) return undefined;
  const run = fields.get("run");
  const command = fields.get("command");
  if ((run === undefined) === (command === undefined)) {
    const message = `${field.label} must say either \`run\` or \`command\`.`;
    reading.error({ code: run === undefined ? "missing_value" : "conflicting_keys", message, path: field.at });
  }
  const shell = fields.get("shell");
  const workingDirectory = fields.get("workingDirectory");
  return withoutUndefined({
    run: run && readText(reading, run),
    command: command && readCommand(reading, command),
    env: readEnvironment(reading, fields.get("env")),
    shell: shell && readText(reading, shell),
    workingDirectory: workingDirectory && readTemplateText(reading, workingDirectory),
  });
}
