import { quote } from "../definition/describe.ts";
import type { ActionDefinition, Definition, StepDefinition, TypeDefinition } from "../definition/model.ts";
import type { Reading } from "../definition/reading.ts";
import { withoutUndefined } from "../definition/without-undefined.ts";
import { isTemplate } from "../expression/index.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { PlanControl, PlanFunction, PlanPayload, StepKind } from "./plan.ts";

/** What a step does, taken apart for the kernel, for the worker that commits and for the one that runs the attempt. */
export interface LoweredAction {
  readonly kind: StepKind;
  readonly handler: string;
  readonly payload: PlanPayload;
  /** The control expressions of the action alone. */
  readonly control: PlanControl;
  /** Whether the action has a control expression, so that its worker must evaluate before it starts. */
  readonly isControlled: boolean;
  readonly sleepMs: number;
  readonly signal: string | null;
}

const PLAIN = { handler: "", payload: {}, control: {}, isControlled: false, sleepMs: 0, signal: null };

/** Handler of everything that runs a process, and of the hidden entry of a graph. */
const COMMAND = "command";
const ENTRYPOINT = "entrypoint";

export function lowerAction(step: StepDefinition, definition: Definition, report: Reading): LoweredAction {
  const { action } = step;
  switch (action.kind) {
    case "none":
      return { ...PLAIN, kind: "join" };
    case "entrypoint":
      return { ...PLAIN, kind: "join", handler: ENTRYPOINT };
    case "parallel":
      return { ...PLAIN, kind: "block" };
    case "run":
    case "command":
      return { ...PLAIN, kind: "task", handler: COMMAND, payload: withEnv(commandPayload(action), step.env) };
    case "type":
      return lowerType(step, action, { definition, report });
    case "function":
      return { ...PLAIN, kind: "task", handler: action.handler, payload: withEnv({}, step.env) };
    case "approval":
      return { ...PLAIN, kind: "approval", payload: withoutUndefined({ message: action.message }) };
    case "sleep":
      return lowerSleep(action.duration);
    case "signal":
      return isTemplate(action.signal)
        ? { ...PLAIN, kind: "signal", control: { signal: action.signal }, isControlled: true }
        : { ...PLAIN, kind: "signal", signal: action.signal };
    case "workflow":
      return lowerChild(action.workflow, action.input);
    default:
      return action satisfies never;
  }
}

function lowerSleep(duration: number | string | PlanFunction): LoweredAction {
  if (typeof duration === "number") return { ...PLAIN, kind: "sleep", sleepMs: duration };
  return { ...PLAIN, kind: "sleep", control: { sleep: duration }, isControlled: true };
}

function lowerChild(workflow: string, childInput: JsonValue | PlanFunction): LoweredAction {
  const isControlled = isTemplate(workflow) || !isConstant(childInput);
  return { ...PLAIN, kind: "child", control: { workflow, childInput }, isControlled };
}

/** Whether a value is the same in every run: no function of the builder, and no expression anywhere in it. */
function isConstant(value: JsonValue | PlanFunction): boolean {
  const open = [value as JsonValue];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (typeof part === "string" && isTemplate(part)) return false;
    if (typeof part !== "object" || part === null) continue;
    if ("$function" in part) return false;
    open.push(...Object.values(part));
  }
  return true;
}

function lowerType(
  step: StepDefinition,
  action: Extract<ActionDefinition, { kind: "type" }>,
  { definition, report }: { readonly definition: Definition; readonly report: Reading },
): LoweredAction {
  const bound = Object.hasOwn(definition.types, action.type) ? definition.types[action.type] : undefined;
  const own = withoutUndefined({ params: action.params, workingDirectory: action.workingDirectory });
  if (bound === undefined) {
    const payload = withEnv({ with: action.with, ...own }, step.env);
    return { ...PLAIN, kind: "task", handler: action.type, payload };
  }
  const values = namedValues(step, action.with, report);
  const env = { ...bound.env, ...environmentOf(step, values, report), ...step.env };
  const params = bound.command === undefined ? {} : { params: { ...values, ...action.params } };
  const payload = withEnv({ ...commandPayload(bound), ...own, ...params }, env);
  return { ...PLAIN, kind: "task", handler: COMMAND, payload };
}

function commandPayload(command: Partial<Omit<TypeDefinition, "env">> & { readonly params?: JsonObject }): PlanPayload {
  const { run, command: words, params, shell, workingDirectory } = command;
  return withoutUndefined({ run, command: words, params, shell, workingDirectory });
}

function withEnv(payload: PlanPayload, env: JsonObject): PlanPayload {
  return Object.keys(env).length === 0 ? payload : { ...payload, env };
}

/** `with` of a type that is bound to a command: names and values, because both become variables and flags. */
function namedValues(step: StepDefinition, values: JsonValue, report: Reading): JsonObject {
  if (values === null) return {};
  if (typeof values === "object" && !Array.isArray(values)) return values as JsonObject;
  report.error({
    code: "invalid_value",
    message: `\`with\` of ${quote(step.id)} must be a mapping: its type is bound to a command, which gets each value by name.`,
    path: `${step.at}/with`,
  });
  return {};
}

/** The values of `with` as environment variables: `imageTag` and `image-tag` become `BRAID_WITH_IMAGE_TAG`. */
function environmentOf(step: StepDefinition, values: JsonObject, report: Reading): JsonObject {
  const env = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(values)) {
    const variable = `BRAID_WITH_${toUpperSnake(name)}`;
    if (env.has(variable)) {
      report.error({
        code: "conflicting_keys",
        message: `Two values in \`with\` of ${quote(step.id)} become the environment variable \`${variable}\`.`,
        path: `${step.at}/with`,
      });
    }
    env.set(variable, value);
  }
  return Object.fromEntries(env);
}

function toUpperSnake(name: string): string {
  return name
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "_")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase();
}
