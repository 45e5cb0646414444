import type { JsonObject, JsonValue } from "@braid/core";
import { encodePayload } from "../payload/codec.ts";
import { InvalidInput } from "./errors.ts";
import { freezeJson } from "./freeze-json.ts";
import type { PlanInfo } from "./plan-info.ts";

/** Keywords that the check below knows. A schema with any other is given to the validator, which takes time to load. */
const SIMPLE_KEYWORDS: ReadonlySet<string> = new Set([
  "$schema",
  "type",
  "properties",
  "required",
  "additionalProperties",
  "enum",
  "default",
  "description",
  "title",
  "examples",
]);

/** The input of a run: defaults filled in, checked against the workflow's `inputs`. Throws `InvalidInput`. */
export async function readRunInput(info: PlanInfo, given: JsonValue, maxBytes: number): Promise<JsonValue> {
  const schema = info.plan.host.inputs;
  const input = encodeInput(info, withDefaults(schema, given), maxBytes);
  const problems = isSimple(schema) ? checkSimply(schema, input) : await checkFully(schema, input);
  if (problems.length > 0) throw new InvalidInput(info.workflow, problems);
  return input;
}

/** The input as JSON that every store keeps. Throws `InvalidInput`. */
export function encodeInput(info: PlanInfo, given: unknown, maxBytes: number): JsonValue {
  const encoded = encodePayload(given, { maxBytes });
  if (!encoded.ok) throw new InvalidInput(info.workflow, [encoded.message]);
  return freezeJson(encoded.value);
}

function withDefaults(schema: JsonObject, given: JsonValue): JsonValue {
  if (!isObject(given) || !isObject(schema["properties"])) return given;
  const input: Record<string, JsonValue> = { ...given };
  for (const [name, property] of Object.entries(schema["properties"])) {
    if (Object.hasOwn(input, name) || !isObject(property)) continue;
    if (property["default"] !== undefined) input[name] = property["default"];
  }
  return input;
}

async function checkFully(schema: JsonObject, value: JsonValue): Promise<readonly string[]> {
  const { schemaCheck } = await import("./schema-check.ts");
  return (await schemaCheck(schema))(value);
}

/**
 * Whether the schema is what declarations by name are turned into: one object, each of its members by type and choice.
 */
function isSimple(schema: JsonObject): boolean {
  if (!hasSimpleKeywords(schema) || schema["type"] !== "object") return false;
  const { properties = {}, additionalProperties = true } = schema;
  if (typeof additionalProperties !== "boolean" || !isObject(properties)) return false;
  return Object.values(properties).every((property) => {
    return (
      isObject(property) && hasSimpleKeywords(property) && !("properties" in property) && !("required" in property)
    );
  });
}

const hasSimpleKeywords = (schema: JsonObject): boolean => Object.keys(schema).every((key) => SIMPLE_KEYWORDS.has(key));

function checkSimply(schema: JsonObject, value: JsonValue): readonly string[] {
  if (!isObject(value)) return [`it must be an object, and is ${kindOf(value)}`];
  const problems: string[] = [];
  const properties = (schema["properties"] ?? {}) as { readonly [name: string]: JsonObject };
  for (const name of (schema["required"] ?? []) as readonly string[]) {
    if (!Object.hasOwn(value, name)) problems.push(`\`${name}\` is required`);
  }
  for (const [name, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property !== undefined) problems.push(...checkMember(name, member, property));
    else if (schema["additionalProperties"] === false)
      problems.push(`there is no input \`${name}\`${known(properties)}`);
  }
  return problems;
}

function checkMember(name: string, value: JsonValue, { type, enum: choices }: JsonObject): readonly string[] {
  const types = type === undefined ? [] : typeof type === "string" ? [type] : (type as readonly string[]);
  if (types.length > 0 && !types.some((each) => isOfType(value, each))) {
    return [`\`${name}\` must be of type ${types.join(" or ")}, and is ${kindOf(value)}`];
  }
  if (!Array.isArray(choices)) return [];
  const texts = choices.map((choice) => JSON.stringify(choice));
  return texts.includes(JSON.stringify(value)) ? [] : [`\`${name}\` must be one of ${texts.join(", ")}`];
}

function isOfType(value: JsonValue, type: string): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  return type === "object" ? isObject(value) : typeof value === type;
}

function known(properties: object): string {
  const names = Object.keys(properties);
  return names.length === 0
    ? "; the workflow declares none"
    : ` (declared: ${names.map((name) => `\`${name}\``).join(", ")})`;
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
