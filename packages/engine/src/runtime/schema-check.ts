import type { JsonObject, JsonValue } from "@braid/core";
import { messageOf } from "./errors.ts";

/** Says what is wrong with a value, one sentence for each place; nothing if it fits. */
export type SchemaCheck = (value: JsonValue) => readonly string[];

const checks = new WeakMap<JsonObject, SchemaCheck>();

/** Most problems that are told at once. */
const MOST_PROBLEMS = 10;

/**
 * The check of a JSON Schema (draft 2020-12), made once for each schema. The validator is loaded with the first schema
 * that is met: most workflows declare none. A schema that the validator refuses fails every value, and says so.
 */
export async function schemaCheck(schema: JsonObject): Promise<SchemaCheck> {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  // Formats are annotations in this draft; unknown keywords are other people's annotations.
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  const check = compileCheck(ajv, schema);
  checks.set(schema, check);
  return check;
}

interface Problem {
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Validator {
  compile(schema: object): { (value: unknown): boolean | Promise<unknown>; errors?: readonly Problem[] | null };
}

function compileCheck(validator: Validator, schema: JsonObject): SchemaCheck {
  let validate: ReturnType<Validator["compile"]>;
  try {
    validate = validator.compile(schema);
  } catch (error) {
    const problem = `the schema itself is not valid: ${messageOf(error)}`;
    return () => [problem];
  }
  return (value) => {
    if (validate(value) === true) return [];
    const problems = (validate.errors ?? []).map(describe);
    return [...new Set(problems)].slice(0, MOST_PROBLEMS);
  };
}

function describe({ instancePath, message, params }: Problem): string {
  const place = instancePath === "" ? "the value" : `\`${instancePath}\``;
  const name = params["additionalProperty"] ?? params["unevaluatedProperty"];
  const detail = typeof name === "string" ? ` (\`${name}\`)` : allowed(params);
  return `${place} ${message ?? "does not fit"}${detail}`;
}

function allowed(params: Readonly<Record<string, unknown>>): string {
  const values = params["allowedValues"];
  return Array.isArray(values) ? ` (${values.map((value) => JSON.stringify(value)).join(", ")})` : "";
}
