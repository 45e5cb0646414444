import { expect, test } from "vitest";
import { SECTIONS } from "./aliases.ts";
import type { Section } from "./aliases.ts";
import { isSameKey, meaningOf, sectionKeys, spellings, toCamelCase, toSnakeCase } from "./meaning.ts";

const ALL_SECTIONS = Object.keys(SECTIONS) as Section[];

test.each(ALL_SECTIONS)("every key of `%s` is accepted in camelCase, snake_case and kebab-case", (section) => {
  for (const key of sectionKeys(section)) {
    expect(meaningOf(section, key)).toEqual({ key });
    expect(meaningOf(section, toSnakeCase(key))).toEqual({ key });
    expect(meaningOf(section, toSnakeCase(key).replaceAll("_", "-"))).toEqual({ key });
  }
});

test.each(ALL_SECTIONS)("every word of `%s` means one of its keys", (section) => {
  for (const { key } of spellings(section).values()) expect(sectionKeys(section)).toContain(key);
});

test.each<[Section, string, string]>([
  ["workflow", "vars", "inputs"],
  ["workflow", "variables", "inputs"],
  ["workflow", "parameters", "inputs"],
  ["workflow", "on_failure", "onFailure"],
  ["workflow", "definition_version", "definitionVersion"],
  ["parallelConfig", "max_concurrent", "maxConcurrent"],
  ["parallelConfig", "rate_limit", "rateLimit"],
  ["parallelConfig", "fail_fast", "failFast"],
  ["block", "on_failure", "onFailure"],
  ["block", "max_concurrent", "maxConcurrent"],
  ["step", "depends_on", "dependsOn"],
  ["step", "run_if", "when"],
  ["step", "if", "when"],
  ["step", "condition", "when"],
  ["step", "uses", "type"],
  ["step", "parallel_group", "parallelGroup"],
  ["step", "joinStrategy", "join"],
  ["step", "join_strategy", "join"],
  ["step", "foreach", "forEach"],
  ["step", "working-directory", "workingDirectory"],
  ["step", "cwd", "workingDirectory"],
  ["retry", "max_attempts", "maxAttempts"],
  ["retry", "base_delay", "delay"],
  ["rateLimit", "limit", "count"],
  ["dependency", "id", "step"],
  ["node", "joinStrategy", "join"],
  ["node", "runnerConfig", "runner"],
  ["node", "max_concurrent", "maxConcurrency"],
  ["edge", "kind", "edgeType"],
  ["edge", "source_handle", "sourceHandle"],
])("in `%s`, `%s` means `%s`", (section, written, key) => {
  expect(meaningOf(section, written)?.key).toBe(key);
});

test.each<[Section, string, object]>([
  ["step", "retries", { key: "retry", unit: "retries" }],
  ["step", "max_attempts", { key: "retry", unit: "attempts" }],
  ["step", "timeout_ms", { key: "timeout", unit: "milliseconds" }],
  ["defaults", "retries", { key: "retry", unit: "retries" }],
  ["retry", "retries", { key: "maxAttempts", unit: "retries" }],
  ["retry", "delay_ms", { key: "delay", unit: "milliseconds" }],
])("in `%s`, `%s` says which unit it counts in", (section, written, meaning) => {
  expect(meaningOf(section, written)).toEqual(meaning);
});

test("words of one section mean nothing in another", () => {
  expect(meaningOf("workflow", "uses")).toBeUndefined();
  expect(meaningOf("step", "vars")).toBeUndefined();
  expect(meaningOf("step", "toString")).toBeUndefined();
  expect(meaningOf("step", "__proto__")).toBeUndefined();
});

test("the case of letters matters", () => {
  expect(meaningOf("step", "DependsOn")).toBeUndefined();
  expect(meaningOf("step", "dependson")).toBeUndefined();
});

test("a place is found by the canonical key under any spelling", () => {
  expect(isSameKey("depends_on", "dependsOn")).toBe(true);
  expect(isSameKey("run_if", "when")).toBe(true);
  expect(isSameKey("run", "when")).toBe(false);
});

test("underscores at the edges of a word stay", () => {
  expect(toCamelCase("__proto__")).toBe("__proto__");
  expect(toCamelCase("a_b-c")).toBe("aBC");
});
