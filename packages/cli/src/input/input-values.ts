import type { JsonObject, JsonValue } from "@braid/core";
import { UsageError } from "../cli-error.ts";

/**
 * Turns `--input name=value` into the type that the workflow declares for it. `schema` is the JSON Schema of the whole
 * input, as the plan carries it.
 */
export function readInputs(assignments: readonly string[], schema: JsonObject): JsonObject {
  const values: Record<string, JsonValue> = {};
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    if (equals <= 0) throw new UsageError(`--input \`${assignment}\` is not of the form name=value`);
    const name = assignment.slice(0, equals);
    checkDeclared([name], schema);
    values[name] = typedValue(name, assignment.slice(equals + 1), propertyOf(schema, name));
  }
  return values;
}

/** Refuses names that the workflow does not declare, and lists those that it does. */
export function checkDeclared(names: readonly string[], schema: JsonObject): void {
  if (isOpen(schema)) return;
  const declared = Object.keys(objectOf(schema["properties"]));
  const unknown = names.find((name) => !declared.includes(name));
  if (unknown === undefined) return;
  const list = declared.map((name) => `\`${name}\``).join(", ");
  const known = declared.length === 0 ? "the workflow declares no inputs" : `declared are ${list}`;
  throw new UsageError(`input \`${unknown}\` is not declared; ${known}`);
}

/** Whether names that the schema does not list are welcome: it says so, or it lists none and forbids none. */
function isOpen(schema: JsonObject): boolean {
  const additional = schema["additionalProperties"];
  if (additional === true || typeof additional === "object" || schema["patternProperties"] !== undefined) return true;
  return schema["properties"] === undefined && additional !== false;
}

function propertyOf(schema: JsonObject, name: string): JsonObject {
  const properties = objectOf(schema["properties"]);
  return Object.hasOwn(properties, name) ? objectOf(properties[name]) : {};
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Reads a value as the first of the declared types that it fits; text fits `string` always, so that stands last. */
function typedValue(name: string, text: string, schema: JsonObject): JsonValue {
  const choices = schema["enum"];
  const types = typesOf(schema);
  if (Array.isArray(choices) && types.length === 0) return choiceOf(name, text, choices as readonly JsonValue[]);
  if (types.length === 0) return jsonOrText(text);
  const ordered = types.toSorted((a, b) => Number(a === "string") - Number(b === "string"));
  for (const type of ordered) {
    const value = readers[type]?.(text);
    if (value !== undefined) return value;
  }
  throw new UsageError(
    `input \`${name}\` expects ${ordered.map((type) => names[type] ?? type).join(" or ")}, got \`${text}\``,
  );
}

const names: Readonly<Record<string, string>> = {
  number: "a number",
  integer: "an integer",
  boolean: "`true` or `false`",
  object: "a JSON object",
  array: "a JSON array",
  null: "`null`",
  string: "text",
};

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A value of each type from text; undefined where the text is not one. */
const readers: Readonly<Record<string, (text: string) => JsonValue | undefined>> = {
  string: (text) => text,
  number: (text) => (decimal.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined),
  // A number that JavaScript cannot hold exactly would silently become another one.
  integer: (text) => (decimal.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined),
  boolean: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  null: (text) => (text === "null" ? null : undefined),
  object: (text) => {
    const value = parseJson(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  },
  array: (text) => {
    const value = parseJson(text);
    return Array.isArray(value) ? value : undefined;
  },
};

/** The types a schema allows, also through `anyOf` and `oneOf`; empty where it names none. */
function typesOf(schema: JsonObject): readonly string[] {
  const own = schema["type"];
  if (typeof own === "string") return [own];
  if (Array.isArray(own)) return own.filter((type) => typeof type === "string");
  const alternatives = [schema["anyOf"], schema["oneOf"]].find((value) => Array.isArray(value)) ?? [];
  return [...new Set((alternatives as readonly JsonValue[]).flatMap((alternative) => typesOf(objectOf(alternative))))];
}

function choiceOf(name: string, text: string, choices: readonly JsonValue[]): JsonValue {
  const choice = choices.find((value) => (typeof value === "string" ? value : JSON.stringify(value)) === text);
  if (choice !== undefined) return choice;
  const list = choices.map((value) => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``).join(", ");
  throw new UsageError(`input \`${name}\` is one of ${list}, got \`${text}\``);
}

function jsonOrText(text: string): JsonValue {
  const value = parseJson(text);
  return value === undefined ? text : value;
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
