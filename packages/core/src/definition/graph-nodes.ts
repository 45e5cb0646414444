import type { JsonObject, JsonValue } from "../json.ts";
import { findAction, hasInput, readAction } from "./action.ts";
import type { Section } from "./aliases.ts";
import { quote } from "./describe.ts";
import { fieldOf, isList, isObject, itemsOf, readFields } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { readIdentity } from "./identity.ts";
import type { Identity } from "./identity.ts";
import type { ActionDefinition, DependencyDefinition, StepDefinition } from "./model.ts";
import { memberPointer } from "./pointer.ts";
import type { Reading } from "./reading.ts";
import { readSettings } from "./settings.ts";
import { readInteger, readText, reportExpected, reportMisplaced } from "./values.ts";
import { isSameJson } from "./same-json.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** A node whose keys and name are known, and whose edges are not yet. */
export interface WrittenNode extends Identity {
  readonly fields: Fields;
  readonly at: string;
}

/** What the edges into a node say. */
export interface Incoming {
  readonly dependsOn: readonly DependencyDefinition[];
  /** Input name -> template of what arrives there. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** Reads names and keys of all nodes. One that is no mapping is reported and left out. */
export function readNodes(reading: Reading, field: Field | undefined): readonly WrittenNode[] {
  if (field === undefined || !isList(field.value)) {
    const hint = "For instance `nodes: [{id: start, type: entrypoint}]`.";
    reportExpected(reading, field ?? fieldOf(null, "/nodes", "`nodes`"), { what: "a list of nodes", hint });
    return [];
  }
  if (field.value.length === 0) {
    reading.error({ code: "missing_value", message: "The graph has no node in it.", path: field.at });
  }
  return itemsOf(field, field.value, "Node").flatMap((item) => readNode(reading, item) ?? []);
}

function readNode(reading: Reading, field: Field): WrittenNode | undefined {
  const fields = readDrawn(reading, field, { section: "node", dataSection: "nodeData" });
  if (fields === undefined) return undefined;
  const identity = readIdentity(reading, { id: fields.get("id"), name: fields.get("name") }, () => {
    const message = `${field.label} has no \`id\`.`;
    reading.error({ code: "missing_value", message, hint: "Edges name nodes by id.", path: field.at });
    return undefined;
  });
  return { ...(identity ?? { id: field.at, name: field.at }), fields, at: field.at };
}

/**
 * Keys of something that an editor draws: those at the top and those inside `data`, where such editors let others write.
 * `type` at the top is how it is drawn when `data` has a type as well.
 */
export function readDrawn(
  reading: Reading,
  field: Field,
  { section, dataSection }: { readonly section: Section; readonly dataSection: Section },
): Fields | undefined {
  const top = readFields(reading, field, section);
  const data = isObject(field.value) ? field.value["data"] : undefined;
  if (top === undefined || data === undefined || !isObject(data)) return top;
  const inner =
    readFields(reading, fieldOf(data, memberPointer(field.at, "data"), "`data`"), dataSection) ??
    new Map<string, Field>();
  const merged = new Map([...inner, ...top]);
  for (const [key, member] of inner) {
    const outer = top.get(key);
    if (key === "type") merged.set(key, member);
    if (outer === undefined || key === "type" || key === "id" || isSameJson(outer.value, member.value)) continue;
    reportMisplaced(reading, member, { problem: "is written inside `data` and beside it", hint: "Keep one of them." });
  }
  return merged;
}

interface NodeContext {
  readonly workflow: string;
  readonly incoming: Incoming | undefined;
  /** Step types that the file binds to commands: their input is turned into flags. */
  readonly boundTypes: ReadonlySet<string>;
}

/** The step that a node is, with the dependencies and inputs that its edges give it. */
export function finishNode(reading: Reading, node: WrittenNode, context: NodeContext): StepDefinition {
  const { fields, id, name, at } = node;
  const { dependsOn = [], inputs = new Map<string, string>() } = context.incoming ?? {};
  const written = withInputs(reading, fields, { inputs, at });
  const key = findAction(reading, written);
  const action = key === undefined || key === "parallel" ? undefined : readAction(reading, written, key);
  const groupId = fields.get("groupId");
  const settings = readSettings(reading, fields);
  return withoutUndefined({
    id,
    name,
    action: withFlags(action ?? { kind: "none" }, context.boundTypes),
    dependsOn,
    ...settings,
    concurrency: readNodeCap(reading, fields, `${context.workflow}/${id}`) ?? settings.concurrency,
    groupId: groupId && readText(reading, groupId),
    at,
  });
}

interface Arrivals {
  readonly inputs: ReadonlyMap<string, string>;
  /** The node. */
  readonly at: string;
}

/** Keys of the actions that take an input, and the key that the input is read from. */
const INPUT_KEYS: readonly (readonly [action: string, input: "params" | "with"])[] = [
  ["command", "params"],
  ["type", "with"],
  ["workflow", "with"],
];

/** `params` of a node are the input of its action, and what arrives through handles goes there too. */
function withInputs(reading: Reading, fields: Fields, { inputs, at }: Arrivals): Fields {
  const inputKey = INPUT_KEYS.find(([action]) => fields.has(action))?.[1];
  const params = fields.get("params");
  const input = fields.get("with");
  if (params !== undefined && input !== undefined) {
    const problem = "and `with` say the same thing in a graph";
    reportMisplaced(reading, params, { problem, hint: "Keep one of them." });
  }
  const written = input ?? params;
  const arriving = inputKey === undefined ? new Map<string, string>() : inputsOf(fields, inputs);
  if (written === undefined && arriving.size === 0) return fields;
  const field = written ?? fieldOf({}, memberPointer(at, "params"), "`params`");
  const others = new Map([...fields].filter(([key]) => key !== "params" && key !== "with"));
  if (arriving.size === 0) return others.set(inputKey ?? "with", field);
  if (!isObject(field.value)) {
    reportExpected(reading, field, { what: "a mapping that edges can add to" });
    return others;
  }
  const value = mergeInputs(reading, field, { object: field.value, inputs: arriving });
  return others.set(inputKey ?? "with", { ...field, value });
}

/** Editors name a handle at both ends of every edge: what arrives at a node that has no such input only says where to draw. */
function inputsOf(fields: Fields, inputs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const type = fields.get("type")?.value;
  return typeof type === "string" ? new Map([...inputs].filter(([name]) => hasInput(type, name))) : inputs;
}

function mergeInputs(
  reading: Reading,
  field: Field,
  { object, inputs }: { readonly object: JsonObject; readonly inputs: ReadonlyMap<string, string> },
): JsonValue {
  for (const name of inputs.keys()) {
    if (!Object.hasOwn(object, name)) continue;
    const message = `The input ${quote(name)} is written here and arrives through an edge; the edge wins.`;
    const hint = "Leave it out here, or take the handle off the edge.";
    reading.warning({ code: "conflicting_keys", message, hint, path: memberPointer(field.at, name) });
  }
  return { ...object, ...Object.fromEntries(inputs) };
}

/** A type that the file binds to a command gets its input as flags. */
function withFlags(action: ActionDefinition, boundTypes: ReadonlySet<string>): ActionDefinition {
  if (action.kind !== "type" || !boundTypes.has(action.type) || !isObject(action.with)) return action;
  return { ...action, params: action.with };
}

/** A cap on one node holds over all runs of the workflow. */
function readNodeCap(reading: Reading, fields: Fields, key: string): StepDefinition["concurrency"] {
  const field = fields.get("maxConcurrency");
  if (field === undefined) return undefined;
  if (fields.has("concurrency")) {
    reportMisplaced(reading, field, { problem: "stands beside `concurrency`", hint: "Keep one of them." });
  }
  const max = readInteger(reading, field, { least: 1 });
  return max === undefined ? undefined : { key, max };
}
