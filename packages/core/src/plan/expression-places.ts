import type { Definition, MapDefinition, StepDefinition, TypeDefinition } from "../definition/model.ts";
import { memberPointer } from "../definition/pointer.ts";
import type { PlanFunction } from "./plan.ts";

/**
 * Who evaluates a text, and so what it may name:
 * - `control`: the worker that commits, once for the step; `itemControl`: the same, once for each item of a map
 * - `payload`: the worker that runs the attempt; `set`: the same, after the attempt
 */
export type Role = "control" | "itemControl" | "payload" | "set" | "output" | "shared";

/** One value of a definition that may hold expressions, and where it stands. */
export interface ExpressionPlace {
  readonly role: Role;
  /** `condition`: an expression with or without braces; `script`: text for a shell, into which values never go as text. */
  readonly kind: "value" | "condition" | "script";
  readonly value: unknown;
  /** JSON pointer. */
  readonly path: string;
}

/** Everything in a step that may hold expressions, in the order in which a run comes to it. Hidden steps have none. */
export function placesOf({
  definition: step,
}: {
  readonly definition: StepDefinition | null;
}): readonly ExpressionPlace[] {
  if (step === null) return [];
  const { at, when, forEach, startDelay, timeout, deadline, concurrency, env, set } = step;
  const places: ExpressionPlace[] = [];
  const add = (role: Role, key: string, value: unknown): void => {
    if (value !== undefined && !isFunction(value)) places.push({ role, kind: "value", value, path: `${at}/${key}` });
  };
  if (typeof when === "string") places.push({ role: "control", kind: "condition", value: when, path: `${at}/when` });
  if (forEach !== undefined) add("control", itemsKey(forEach), forEach.items);
  add("control", "startDelay", startDelay);
  add("control", "timeout", timeout);
  add("control", "deadline", deadline);
  add("control", "concurrency/key", concurrency?.key);
  places.push(...placesOfAction(step));
  add("payload", "env", env);
  add("set", "set", set);
  return places;
}

/** `forEach` may be the items themselves or a mapping that holds them; only a place with further keys is told apart. */
function itemsKey(forEach: MapDefinition): string {
  const { items: _, ...rest } = forEach;
  return Object.keys(rest).length === 0 ? "forEach" : "forEach/items";
}

function placesOfAction({ action, at, forEach }: StepDefinition): readonly ExpressionPlace[] {
  const control = forEach === undefined ? "control" : "itemControl";
  const value = (role: Role, key: string, content: unknown): readonly ExpressionPlace[] =>
    content === undefined || isFunction(content) ? [] : [{ role, kind: "value", value: content, path: `${at}/${key}` }];
  switch (action.kind) {
    case "run":
    case "command":
      return [
        ...commandPlaces("payload", action, at),
        ...value("payload", "params", action.kind === "command" ? action.params : undefined),
        ...value("payload", "workingDirectory", action.workingDirectory),
      ];
    case "type":
      return [
        ...value("payload", "with", action.with),
        ...value("payload", "params", action.params),
        ...value("payload", "workingDirectory", action.workingDirectory),
      ];
    case "workflow":
      return [...value(control, "workflow", action.workflow), ...value(control, "with", action.input)];
    case "sleep":
      return value(control, "sleep", action.duration);
    case "signal":
      return value(control, "signal", action.signal);
    case "approval":
      return value("payload", "approval", action.message);
    case "parallel":
      return value("control", "parallel/timeout", action.block.timeout);
    case "none":
    case "function":
    case "entrypoint":
      return [];
    default:
      return action satisfies never;
  }
}

function commandPlaces(
  role: Role,
  { run, command }: { readonly run?: string; readonly command?: string | readonly string[] },
  at: string,
): readonly ExpressionPlace[] {
  const places: ExpressionPlace[] = [];
  if (run !== undefined) places.push({ role, kind: "script", value: run, path: `${at}/run` });
  if (command !== undefined) {
    const [kind, value] = isShellCommand(command)
      ? (["script", command.slice(1)] as const)
      : (["value", command] as const);
    places.push({ role, kind, value, path: `${at}/command` });
  }
  return places;
}

/** Whether a command is one text that a shell reads. */
function isShellCommand(command: string | readonly string[]): command is string {
  return typeof command === "string" && command.startsWith("!");
}

/** What a workflow says outside its steps: read once, however many steps use it. */
export function placesOfWorkflow(definition: Definition): readonly ExpressionPlace[] {
  const places: ExpressionPlace[] = [
    { role: "shared", kind: "value", value: definition.env, path: `${definition.at}/env` },
  ];
  for (const [name, type] of Object.entries(definition.types)) {
    places.push(...placesOfType(type, memberPointer(`${definition.at}/types`, name)));
  }
  if (definition.output !== undefined && !isFunction(definition.output)) {
    places.push({ role: "output", kind: "value", value: definition.output, path: `${definition.at}/output` });
  }
  return places;
}

function placesOfType(type: TypeDefinition, at: string): readonly ExpressionPlace[] {
  const shared = [...commandPlaces("shared", type, at)];
  shared.push({ role: "shared", kind: "value", value: type.env, path: `${at}/env` });
  if (type.workingDirectory !== undefined) {
    shared.push({ role: "shared", kind: "value", value: type.workingDirectory, path: `${at}/workingDirectory` });
  }
  return shared;
}

/** A function of the builder: its code is not ours to read. */
function isFunction(value: unknown): value is PlanFunction {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "$function");
}
