import type { JsonObject } from "../json.ts";
import { quote } from "./describe.ts";
import { readDuration } from "./duration.ts";
import { readEnvironment } from "./environment.ts";
import { isObject, membersOf } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { readForEach } from "./for-each.ts";
import { readJoin } from "./join.ts";
import { readRateLimit, readStepConcurrency } from "./limits.ts";
import type { StepDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readRetry } from "./retry.ts";
import {
  MAX_INTEGER,
  readAnyText,
  readBoolean,
  readCondition,
  readInteger,
  readObject,
  readText,
  readWord,
  reportExpected,
} from "./values.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** Everything about a step but what it is called, what it does and what it waits for. */
export type StepSettings = Omit<StepDefinition, "id" | "name" | "action" | "dependsOn" | "mark" | "groupId" | "at">;

const RUNNER_KINDS = ["inline", "process", "docker", "remote"] as const;

/** Reads the settings that steps of a list and nodes of a graph have in common. */
export function readSettings(reading: Reading, fields: Fields): StepSettings {
  const read = <T>(key: string, reader: (reading: Reading, field: Field) => T | undefined): T | undefined => {
    const field = fields.get(key);
    return field === undefined ? undefined : reader(reading, field);
  };
  return withoutUndefined({
    description: read("description", readAnyText),
    join: readJoin(reading, fields.get("join")),
    when: read("when", readCondition),
    whenUnmet: read("whenUnmet", (_, field) => readWord(reading, field, ["skip", "skipBranch", "fail"])),
    forEach: readForEach(reading, fields.get("forEach")),
    retry: readRetry(reading, fields.get("retry")),
    timeout: read("timeout", (_, field) => readDuration(reading, field, 1)),
    deadline: read("deadline", (_, field) => readDuration(reading, field, 1)),
    startDelay: read("startDelay", (_, field) => readDuration(reading, field, 0)),
    onError: readOnError(reading, fields),
    priority: read("priority", readPriority),
    concurrency: readStepConcurrency(reading, fields.get("concurrency")),
    rateLimit: readRateLimit(reading, fields.get("rateLimit")),
    queue: read("queue", readText),
    resources: read("resources", readResources),
    runner: read("runner", readRunner),
    env: readEnvironment(reading, fields.get("env")),
    set: read("set", readObject),
    output: read("output", readSchema),
  });
}

export function readPriority(reading: Reading, field: Field): number | undefined {
  return readInteger(reading, field, { least: -MAX_INTEGER });
}

/** A JSON Schema that describes an output. */
function readSchema(reading: Reading, field: Field): JsonObject | undefined {
  if (isObject(field.value)) return field.value;
  const hint = "A step's output is what its action gives; values for other steps are written with `set`.";
  return reportExpected(reading, field, { what: "a JSON Schema", hint });
}

/** Amounts of what a worker must have free, by name. */
function readResources(reading: Reading, field: Field): JsonObject | undefined {
  const object = readObject(reading, field);
  if (object === undefined) return undefined;
  for (const [, member] of membersOf(field, object)) {
    const { value } = member;
    if (typeof value === "number" && value >= 0) continue;
    reportExpected(reading, member, { what: "an amount of at least 0", hint: "For instance `resources: {cpu: 2}`." });
  }
  return object;
}

/** Where attempts run: a word, or a mapping with `kind` and what that kind needs. */
function readRunner(reading: Reading, field: Field): JsonObject | undefined {
  if (typeof field.value === "string") {
    const kind = readWord(reading, field, RUNNER_KINDS);
    return kind === undefined ? undefined : { kind };
  }
  const runner = readObject(reading, field);
  const kind = runner && membersOf(field, runner).find(([name]) => name === "kind")?.[1];
  if (runner === undefined) return undefined;
  if (kind === undefined) {
    const message = `${field.label} does not say which \`kind\` of runner it is.`;
    const hint = `Kinds: ${RUNNER_KINDS.join(", ")}.`;
    reading.error({ code: "missing_value", message, hint, path: field.at });
    return undefined;
  }
  const word = readWord(reading, kind, RUNNER_KINDS);
  return word === undefined ? undefined : { ...runner, kind: word };
}

interface ErrorPolicy {
  readonly field: Field;
  readonly policy: NonNullable<StepDefinition["onError"]>;
}

/** What a failure means for the steps after it: `onError`, `continueOnError` and `onFailure` are three ways to say it. */
function readOnError(reading: Reading, fields: Fields): StepDefinition["onError"] {
  const said = [readContinue(reading, fields), readPolicy(reading, fields), readFailureWord(reading, fields)];
  const [first, ...others] = said.filter((policy) => policy !== undefined);
  for (const other of others) {
    if (first === undefined || first.policy === other.policy) continue;
    const message = `${first.field.label} says ${quote(first.policy)} and ${other.field.label} says ${quote(other.policy)}.`;
    reading.error({ code: "conflicting_keys", message, hint: "Keep one of them.", path: other.field.at, part: "key" });
  }
  return first?.policy;
}

function readContinue(reading: Reading, fields: Fields): ErrorPolicy | undefined {
  const field = fields.get("continueOnError");
  const value = field && readBoolean(reading, field);
  return field === undefined || value === undefined ? undefined : { field, policy: value ? "continue" : "fail" };
}

function readPolicy(reading: Reading, fields: Fields): ErrorPolicy | undefined {
  const field = fields.get("onError");
  const policy = field && readWord(reading, field, ["fail", "continue", "skipDependents"]);
  return field === undefined || policy === undefined ? undefined : { field, policy };
}

/** `onFailure` at a step: a mode belongs inside `parallel` and `forEach`, a list of steps to the workflow. */
function readFailureWord(reading: Reading, fields: Fields): ErrorPolicy | undefined {
  const field = fields.get("onFailure");
  if (field === undefined) return undefined;
  const { value } = field;
  const isMode = typeof value === "string" && ["fail_all", "complete_running"].includes(value);
  if (isMode || Array.isArray(value)) {
    const what = "`fail`, `continue` or `skip` at a step";
    const hint = isMode
      ? "A failure mode is written inside `parallel: {…}` or `forEach: {…}`, or at the workflow."
      : "Steps that handle a failure have `dependsOn: [{step: …, on: failure}]`.";
    return reportExpected(reading, field, { what, hint });
  }
  const word = readWord(reading, field, ["fail", "continue", "skip"]);
  return word === undefined ? undefined : { field, policy: word === "fail" ? "fail" : "continue" };
}
