import type { Section } from "./aliases.ts";
import { listNames, quote } from "./describe.ts";
import { readDuration } from "./duration.ts";
import { readCommand, readParams } from "./environment.ts";
import { isList, isObject, readFields } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { meaningOf } from "./meaning.ts";
import type { ActionDefinition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readData, readTemplateText, readText, reportExpected, reportMisplaced } from "./values.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** Keys of which a step has one, in the order in which they are documented. `parallel` counts when it holds steps. */
const ACTION_KEYS = ["run", "command", "type", "workflow", "sleep", "approval", "signal", "parallel"] as const;

type ActionKey = (typeof ACTION_KEYS)[number];

/** Keys that belong to some actions only. */
const COMPANIONS: readonly { readonly key: string; readonly actions: readonly ActionKey[] }[] = [
  { key: "params", actions: ["command", "type"] },
  { key: "with", actions: ["type", "workflow"] },
  { key: "shell", actions: ["run", "command"] },
  { key: "workingDirectory", actions: ["run", "command", "type"] },
];

interface ActionType {
  /** Keys of its input; null where it takes none. */
  readonly section: Section | null;
  readonly read: (reading: Reading, input: Field) => ActionDefinition | undefined;
}

/** Types that are actions of their own. A graph has no other way to write them. */
const ACTION_TYPES: ReadonlyMap<string, ActionType> = new Map<string, ActionType>([
  ["entrypoint", { section: null, read: () => ({ kind: "entrypoint" }) }],
  ["join", { section: null, read: () => ({ kind: "none" }) }],
  ["run", { section: "runInput", read: (reading, input) => readProgramInput(reading, input, "run") }],
  ["command", { section: "commandInput", read: (reading, input) => readProgramInput(reading, input, "command") }],
  ["workflow", { section: "workflowInput", read: readChildInput }],
  ["sleep", { section: "sleep", read: readSleep }],
  ["approval", { section: "approval", read: readApproval }],
  ["signal", { section: "signal", read: readSignal }],
]);

/** Whether a step type has a meaning that a file cannot change. */
export function isActionType(type: string): boolean {
  return ACTION_TYPES.has(type);
}

/** Whether a step type has an input of this name. Types that are not built in say so only when they run. */
export function hasInput(type: string, name: string): boolean {
  const known = ACTION_TYPES.get(type);
  return known === undefined || (known.section !== null && meaningOf(known.section, name) !== undefined);
}

/** Whether `parallel` holds steps, and is not a mark of an order group. */
export function isBlock(field: Field | undefined): field is Field {
  return field !== undefined && (isObject(field.value) || isList(field.value));
}

/** The key of the action that a step has, after all keys of actions were checked against each other. */
export function findAction(reading: Reading, fields: Fields): ActionKey | undefined {
  const written = ACTION_KEYS.filter((key) => (key === "parallel" ? isBlock(fields.get(key)) : fields.has(key)));
  const [first, ...others] = written;
  for (const other of others) {
    const field = fields.get(other);
    if (first === undefined || field === undefined) continue;
    const message = `A step has one action, and this one has ${listNames(written)}.`;
    reading.error({ code: "conflicting_keys", message, hint: "Make it several steps.", path: field.at, part: "key" });
  }
  for (const { key, actions } of COMPANIONS) {
    const field = fields.get(key);
    if (field === undefined || (first !== undefined && actions.includes(first))) continue;
    const problem =
      first === undefined ? "stands at a step without an action" : `has no meaning beside ${quote(first)}`;
    reportMisplaced(reading, field, { problem, hint: `It belongs to ${listNames(actions, "or")}.` });
  }
  return first;
}

/** Reads any action but a block. `key` is what {@link findAction} gave. Undefined when the action was refused. */
export function readAction(
  reading: Reading,
  fields: Fields,
  key: Exclude<ActionKey, "parallel">,
): ActionDefinition | undefined {
  const field = fields.get(key);
  if (field === undefined) return undefined;
  switch (key) {
    case "run":
    case "command":
      return readProgram(reading, fields, key);
    case "type":
      return readTyped(reading, fields, field);
    case "workflow":
      return readChild(reading, field, fields.get("with"));
    case "sleep":
      return readSleep(reading, field);
    case "approval":
      return readApproval(reading, field);
    case "signal":
      return readSignal(reading, field);
    default:
      return key satisfies never;
  }
}

function readProgram(reading: Reading, fields: Fields, key: "run" | "command"): ActionDefinition | undefined {
  const field = fields.get(key);
  if (field === undefined) return undefined;
  const shell = fields.get("shell");
  const place = withoutUndefined({
    shell: shell && readText(reading, shell),
    workingDirectory: readWorkingDirectory(reading, fields),
  });
  if (key === "command") {
    const command = readCommand(reading, field);
    const params = readParams(reading, fields.get("params"));
    return command === undefined ? undefined : { kind: "command", command, params, ...place };
  }
  if (isList(field.value)) {
    return reportExpected(reading, field, { what: "one text", hint: "Write the lines below `run: |`." });
  }
  const run = readText(reading, field);
  return run === undefined ? undefined : { kind: "run", run, ...place };
}

function readWorkingDirectory(reading: Reading, fields: Fields): string | undefined {
  const field = fields.get("workingDirectory");
  return field && readTemplateText(reading, field);
}

function readTyped(reading: Reading, fields: Fields, field: Field): ActionDefinition | undefined {
  const type = readText(reading, field);
  const written = fields.get("with");
  const params = fields.get("params");
  if (type === undefined) return undefined;
  if (type === "parallel") {
    const message = "A block of steps has no type.";
    reading.error({ code: "invalid_value", message, hint: "Write `parallel: {steps: […]}`.", path: field.at });
    return undefined;
  }
  const known = ACTION_TYPES.get(type);
  if (known !== undefined) {
    const problem = `has no meaning beside type ${quote(type)}`;
    if (params !== undefined) reportMisplaced(reading, params, { problem, hint: "Write `with`." });
    return known.read(reading, written ?? { value: {}, at: field.at, label: `The input of type ${quote(type)}` });
  }
  return withoutUndefined({
    kind: "type" as const,
    type,
    with: written?.value ?? {},
    params: params && readParams(reading, params),
    workingDirectory: readWorkingDirectory(reading, fields),
  });
}

function readProgramInput(reading: Reading, input: Field, key: "run" | "command"): ActionDefinition | undefined {
  const fields = readFields(reading, input, `${key}Input`);
  if (fields === undefined) return undefined;
  if (fields.has(key)) return readProgram(reading, fields, key);
  reading.error({ code: "missing_value", message: `${input.label} has no \`${key}\`.`, path: input.at });
  return undefined;
}

function readChildInput(reading: Reading, input: Field): ActionDefinition | undefined {
  const fields = readFields(reading, input, "workflowInput");
  const workflow = fields?.get("workflow");
  if (fields === undefined) return undefined;
  if (workflow !== undefined) return readChild(reading, workflow, fields.get("input"));
  reading.error({ code: "missing_value", message: `${input.label} does not name a \`workflow\`.`, path: input.at });
  return undefined;
}

function readChild(reading: Reading, field: Field, input: Field | undefined): ActionDefinition | undefined {
  const workflow = readTemplateText(reading, field);
  const data = input === undefined ? {} : readData(reading, input);
  return workflow === undefined || data === undefined ? undefined : { kind: "workflow", workflow, input: data };
}

function readSleep(reading: Reading, field: Field): ActionDefinition | undefined {
  const duration = isObject(field.value) ? readFields(reading, field, "sleep")?.get("duration") : field;
  if (duration === undefined) {
    reading.error({
      code: "missing_value",
      message: `${field.label} does not say how long.`,
      hint: "Add `duration`.",
      path: field.at,
    });
    return undefined;
  }
  const value = readDuration(reading, duration, 0);
  return value === undefined ? undefined : { kind: "sleep", duration: value };
}

function readApproval(reading: Reading, field: Field): ActionDefinition | undefined {
  if (field.value === null || field.value === true) return { kind: "approval" };
  if (field.value === false) return reportExpected(reading, field, { what: "`true`, a message or a mapping" });
  const message = isObject(field.value) ? readFields(reading, field, "approval")?.get("message") : field;
  const text = message && readText(reading, message);
  return text === undefined ? { kind: "approval" } : { kind: "approval", message: text };
}

function readSignal(reading: Reading, field: Field): ActionDefinition | undefined {
  const name = isObject(field.value) ? readFields(reading, field, "signal")?.get("name") : field;
  if (name === undefined) {
    reading.error({
      code: "missing_value",
      message: `${field.label} does not name the signal.`,
      hint: "Add `name`.",
      path: field.at,
    });
    return undefined;
  }
  const signal = readTemplateText(reading, name);
  return signal === undefined ? undefined : { kind: "signal", signal };
}
