import { expect, test } from "vitest";
import { normalize } from "./normalize.ts";

const steps = [{ id: "a", run: "x" }];
const $schema = "https://json-schema.org/draft/2020-12/schema";

function read(inputs: unknown): unknown {
  const { definition, diagnostics } = normalize({ inputs, steps });
  expect(diagnostics).toEqual([]);
  return definition?.inputs;
}

function problems(inputs: unknown): readonly string[] {
  return normalize({ inputs, steps }).diagnostics.map(({ code, path }) => `${code} ${path}`);
}

test("declarations by name become a JSON Schema that takes nothing else", () => {
  const sha = { type: "string", description: "commit", required: true };
  const env = { type: "string", enum: ["dev", "prod"], default: "dev" };
  expect(read({ sha, env })).toEqual({
    $schema,
    type: "object",
    properties: { sha: { type: "string", description: "commit" }, env },
    required: ["sha"],
    additionalProperties: false,
  });
});

test.each<[unknown, object]>([
  ["string", { type: "string" }],
  ["integer", { type: "integer" }],
  ["api", { type: "string", default: "api" }],
  [5, { type: "number", default: 5 }],
  [false, { type: "boolean", default: false }],
  [["eu"], { type: "array", default: ["eu"] }],
  [null, {}],
  [{}, {}],
  [
    { type: ["string", "null"], default: null },
    { type: ["string", "null"], default: null },
  ],
  [
    { type: "integer", minimum: 1, maximum: 5, default: 3 },
    { type: "integer", minimum: 1, maximum: 5, default: 3 },
  ],
  [
    { type: "array", items: { type: "string" }, minItems: 1 },
    { type: "array", items: { type: "string" }, minItems: 1 },
  ],
  [
    { type: "object", properties: { a: {} }, required: ["a"] },
    { type: "object", properties: { a: {} }, required: ["a"] },
  ],
  [
    { choices: ["a"], default: "a" },
    { enum: ["a"], default: "a" },
  ],
  [
    { default: { a: [1] }, enum: [{ a: [1] }] },
    { default: { a: [1] }, enum: [{ a: [1] }] },
  ],
])("the declaration %j is %j", (declaration, schema) => {
  expect(read({ x: declaration })).toMatchObject({ properties: { x: schema }, required: [] });
});

test.each<[object]>([
  [{ type: "object", properties: { sha: { type: "string" } }, required: ["sha"], additionalProperties: true }],
  [{ properties: { sha: { type: "string" } } }],
  [{ $schema, allOf: [] }],
])("%j is a JSON Schema already", (schema) => {
  expect(read(schema)).toEqual({ $schema, ...schema });
});

test("inputs may be called like keywords of JSON Schema", () => {
  expect(read({ type: { type: "string" }, properties: { type: "object", default: {} } })).toMatchObject({
    properties: { type: { type: "string" }, properties: { type: "object", default: {} } },
  });
});

test.each<[unknown, readonly string[]]>([
  [["a"], ["invalid_value /inputs"]],
  ["a", ["invalid_value /inputs"]],
  [{ x: { type: "text" } }, ["invalid_value /inputs/x/type"]],
  [{ x: { type: [] } }, ["invalid_value /inputs/x/type"]],
  [{ x: { required: "yes" } }, ["invalid_value /inputs/x/required"]],
  [{ x: { enum: "a" } }, ["invalid_value /inputs/x/enum"]],
  [{ x: { enum: [] } }, ["invalid_value /inputs/x/enum"]],
  [{ x: { type: "integer", default: 1.5 } }, ["invalid_value /inputs/x/default"]],
  [{ x: { type: "array", default: {} } }, ["invalid_value /inputs/x/default"]],
  [{ x: { enum: ["a", "b"], default: "c" } }, ["invalid_value /inputs/x/default"]],
  [{ x: { tpye: "string" } }, ["unknown_key /inputs/x/tpye"]],
  [{ db: { host: "x", port: 5 } }, ["unknown_key /inputs/db/host", "unknown_key /inputs/db/port"]],
])("inputs %j are refused", (inputs, expected) => {
  expect(problems(inputs)).toEqual(expected);
});

test.each(["vars", "variables", "parameters"])("`%s` are inputs", (key) => {
  const { definition } = normalize({ [key]: { app: "api" }, steps });
  expect(definition?.inputs).toMatchObject({ properties: { app: { type: "string", default: "api" } } });
});
