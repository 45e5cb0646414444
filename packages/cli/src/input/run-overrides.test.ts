import { expect, test } from "vitest";
import { UsageError } from "../cli-error.ts";
import { runOverrides } from "./run-overrides.ts";

const both = { BRAID_MAX_CONCURRENT: "3", WORKFLOW_CONCURRENCY: "4" };

test.each([
  ["the flag before all others", both, 1, 2, 1],
  ["the file before the environment", both, undefined, 2, 2],
  ["Braid's own variable before the older one", both, undefined, undefined, 3],
  ["the older variable", { WORKFLOW_CONCURRENCY: "4" }, undefined, undefined, 4],
  ["a variable that is set, not one that is empty", { BRAID_MAX_CONCURRENT: "", WORKFLOW_CONCURRENCY: "4" }, undefined, undefined, 4],
  ["10 where nobody says anything", {}, undefined, undefined, 10],
] as const)("the cap is taken from %s", (_claim, env, flag, file, cap) => {
  expect(runOverrides(env, flag === undefined ? {} : { maxConcurrent: flag }, file).maxConcurrent).toBe(cap);
});

test.each(["0", "-1", "1.5", "many"])("refuses %s as a cap", (text) => {
  expect(() => runOverrides({ BRAID_MAX_CONCURRENT: text }, {}, undefined)).toThrow(
    new UsageError(`the variable BRAID_MAX_CONCURRENT must be a positive integer, got \`${text}\``),
  );
});

test("fail fast and its opposite are failure modes of the run", () => {
  expect(runOverrides({}, { failFast: true }, 1).mode).toBe("fail_all");
  expect(runOverrides({}, { failFast: false }, 1).mode).toBe("continue");
  expect(runOverrides({}, { timeoutMs: 5 }, 1)).toEqual({ maxConcurrent: 1, timeoutMs: 5 });
});
