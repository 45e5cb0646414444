import { expect, test } from "vitest";
import { UsageError } from "../cli-error.ts";
import { runOverrides } from "./run-overrides.ts";

const both = { BRAID_MAX_CONCURRENT: "3", WORKFLOW_CONCURRENCY: "4" };

test.each([
  { claim: "the flag before all others", env: both, flag: 1, file: 2, cap: 1 },
  { claim: "the file before the environment", env: both, file: 2, cap: 2 },
  { claim: "Braid's own variable before the older one", env: both, cap: 3 },
  { claim: "the older variable", env: { WORKFLOW_CONCURRENCY: "4" }, cap: 4 },
  {
    claim: "a variable that is set, not an empty one",
    env: { BRAID_MAX_CONCURRENT: "", WORKFLOW_CONCURRENCY: "4" },
    cap: 4,
  },
  { claim: "10 where nobody says anything", env: {}, cap: 10 },
])("the cap is taken from $claim", ({ env, flag, file, cap }) => {
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
