import type { JsonObject, JsonValue } from "../json.ts";
import { describeValue, listNames } from "./describe.ts";
import { isList, isObject, membersOf, readFields } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import type { Reading } from "./reading.ts";
import { isSameJson } from "./same-json.ts";
import { readBoolean, readList, reportExpected } from "./values.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

const TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"] as const;

/** The schema of a run whose workflow declares no input: it takes none. */
export const NO_INPUTS: JsonObject = { $schema: DIALECT, type: "object", properties: {}, additionalProperties: false };

/** The schema of a run that takes anything: a graph hands its input to the entrypoint as it comes. */
export const ANY_INPUTS: JsonObject = { $schema: DIALECT, type: "object" };

/**
 * The input of a run as a JSON Schema (draft 2020-12): taken as it is when it is one, else made from declarations by name.
 * A declaration is a mapping (`type`, `description`, `default`, `required`, `enum` …), the name of a type, or a default.
 */
export function readInputs(reading: Reading, field: Field): JsonObject {
  const { value } = field;
  if (!isObject(value)) {
    const hint = "For instance `inputs: {version: {type: string, required: true}}`.";
    return reportExpected(reading, field, { what: "a mapping of declarations, or a JSON Schema", hint }) ?? NO_INPUTS;
  }
  if (isJsonSchema(value)) return { $schema: DIALECT, ...value };
  const properties: { [name: string]: JsonValue } = {};
  const required: string[] = [];
  for (const [name, member] of membersOf(field, value)) {
    const declared = readDeclaration(reading, member);
    properties[name] = declared.schema;
    if (declared.isRequired) required.push(name);
  }
  return { $schema: DIALECT, type: "object", properties, required, additionalProperties: false };
}

/** Declarations by name never have a type of their own: an input called `type` is a mapping or a default. */
function isJsonSchema(value: JsonObject): boolean {
  const { properties } = value;
  const hasProperties = properties !== undefined && isObject(properties) && Object.values(properties).every(isObject);
  return (
    value["type"] === "object" || typeof value["$schema"] === "string" || (hasProperties && !isDeclaration(properties))
  );
}

/** Whether a mapping is the declaration of one input, as opposed to a mapping of declarations. */
function isDeclaration(value: JsonObject): boolean {
  return Object.hasOwn(value, "type") && !isObject(value["type"] ?? null);
}

interface Declared {
  readonly schema: JsonObject;
  readonly isRequired: boolean;
}

function readDeclaration(reading: Reading, field: Field): Declared {
  const { value } = field;
  if (value === null) return { schema: {}, isRequired: false };
  if (isTypeName(value)) return { schema: { type: value }, isRequired: false };
  if (!isObject(value)) return { schema: { ...typeOf(value), default: value }, isRequired: false };
  const fields = readFields(reading, field, "input");
  if (fields === undefined) return { schema: {}, isRequired: false };
  const { required, ...keywords } = Object.fromEntries([...fields].map(([key, member]) => [key, member.value]));
  checkType(reading, fields.get("type"));
  checkEnum(reading, fields);
  checkDefault(reading, fields);
  // A list is the keyword of JSON Schema: which members of an object must be there.
  if (required !== undefined && isList(required)) return { schema: { ...keywords, required }, isRequired: false };
  const flag = fields.get("required");
  return { schema: keywords, isRequired: (flag && readBoolean(reading, flag)) ?? false };
}

function isTypeName(value: JsonValue): value is string {
  return TYPES.some((type) => type === value);
}

/** A default says what kind of value is expected. */
function typeOf(value: JsonValue): JsonObject {
  if (typeof value === "string") return { type: "string" };
  if (typeof value === "number") return { type: "number" };
  if (typeof value === "boolean") return { type: "boolean" };
  return isList(value) ? { type: "array" } : {};
}

function checkType(reading: Reading, field: Field | undefined): void {
  if (field === undefined) return;
  const names = isList(field.value) ? field.value : [field.value];
  if (names.length > 0 && names.every(isTypeName)) return;
  reportExpected(reading, field, { what: `a type of JSON: ${listNames(TYPES, "or")}` });
}

function checkEnum(reading: Reading, fields: Fields): void {
  const field = fields.get("enum");
  const list = field && readList(reading, field);
  if (field === undefined || list === undefined || list.length > 0) return;
  reading.error({ code: "invalid_value", message: `${field.label} allows no value at all.`, path: field.at });
}

/** A default that the declaration itself refuses would fail every run that relies on it. */
function checkDefault(reading: Reading, fields: Fields): void {
  const field = fields.get("default");
  if (field === undefined) return;
  const type = fields.get("type")?.value;
  const allowed = fields.get("enum")?.value;
  const names = type === undefined ? [] : isList(type) ? type : [type];
  if (names.every(isTypeName) && names.length > 0 && !names.some((name) => hasType(field.value, name))) {
    reportExpected(reading, field, { what: `of type ${listNames(names, "or")}` });
  } else if (
    allowed !== undefined &&
    isList(allowed) &&
    allowed.length > 0 &&
    !allowed.some((item) => isSameJson(item, field.value))
  ) {
    const message = `${field.label} is ${describeValue(field.value)}, which is not in \`enum\`.`;
    reading.error({ code: "invalid_value", message, path: field.at });
  }
}

function hasType(value: JsonValue, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return isList(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
