import type { JsonObject, JsonValue } from "@braid/core";
import { describe, expect, test } from "vitest";
import { UsageError } from "../cli-error.ts";
import { checkDeclared, readInputs } from "./input-values.ts";

const schema: JsonObject = {
  type: "object",
  properties: {
    name: { type: "string" },
    ratio: { type: "number" },
    count: { type: "integer" },
    dry: { type: "boolean" },
    tags: { type: "array", items: { type: "string" } },
    options: { type: "object" },
    level: { enum: ["low", "high", 3] },
    maybe: { type: ["string", "null"] },
    port: { anyOf: [{ type: "string" }, { type: "integer" }] },
    free: {},
  },
  additionalProperties: false,
};

const accepted: readonly (readonly [assignment: string, value: JsonValue])[] = [
  ["name=42", "42"],
  ["name=", ""],
  ["name=a=b", "a=b"],
  ["ratio=1.5", 1.5],
  ["ratio=-2e3", -2000],
  ["count=7", 7],
  ["dry=true", true],
  ["dry=false", false],
  ['tags=["a","b"]', ["a", "b"]],
  ['options={"a":1}', { a: 1 }],
  ["level=high", "high"],
  ["level=3", 3],
  ["maybe=null", null],
  ["maybe=text", "text"],
  ["port=80", 80],
  ["port=http", "http"],
  ["free=[1]", [1]],
  ["free=text", "text"],
];

test.each(accepted)("reads %s", (assignment, value) => {
  expect(Object.values(readInputs([assignment], schema))).toEqual([value]);
});

const refused: readonly (readonly [assignment: string, message: string])[] = [
  ["name", "--input `name` is not of the form name=value"],
  ["=x", "--input `=x` is not of the form name=value"],
  ["ratio=fast", "input `ratio` expects a number, got `fast`"],
  ["ratio=Infinity", "input `ratio` expects a number, got `Infinity`"],
  ["ratio=", "input `ratio` expects a number, got ``"],
  ["ratio=0x10", "input `ratio` expects a number, got `0x10`"],
  ["count=1.5", "input `count` expects an integer, got `1.5`"],
  ["count=9007199254740993", "input `count` expects an integer, got `9007199254740993`"],
  ["dry=yes", "input `dry` expects `true` or `false`, got `yes`"],
  ["tags=a,b", "input `tags` expects a JSON array, got `a,b`"],
  ["options=[1]", "input `options` expects a JSON object, got `[1]`"],
  ["level=medium", "input `level` is one of `low`, `high`, `3`, got `medium`"],
];

test.each(refused)("refuses %s", (assignment, message) => {
  expect(() => readInputs([assignment], schema)).toThrow(new UsageError(message));
});

describe("an input that is not declared", () => {
  test("is refused with the list of those that are", () => {
    const two: JsonObject = { properties: { sha: {}, region: {} } };
    expect(() => readInputs(["sah=1"], two)).toThrow("input `sah` is not declared; declared are `sha`, `region`");
  });

  test("is refused where the workflow declares none", () => {
    expect(() => readInputs(["a=1"], { properties: {}, additionalProperties: false })).toThrow(
      "input `a` is not declared; the workflow declares no inputs",
    );
  });

  test("is refused when its name is one that every object has", () => {
    expect(() => readInputs(["constructor=1"], schema)).toThrow(/not declared/);
  });

  test("is welcome where the schema says so", () => {
    expect(readInputs(["a=1"], { additionalProperties: true })).toEqual({ a: 1 });
    expect(readInputs(["a=1"], { type: "object" })).toEqual({ a: 1 });
    expect(() => checkDeclared(["a"], { additionalProperties: { type: "string" } })).not.toThrow();
  });
});

test("the last of two values of one input wins", () => {
  expect(readInputs(["name=a", "name=b"], schema)).toEqual({ name: "b" });
});
