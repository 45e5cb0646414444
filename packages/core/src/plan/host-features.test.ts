import { expect, test } from "vitest";
import { normalize } from "../definition/normalize.ts";
import { compile } from "./compile.ts";
import type { HostFeature } from "./host-features.ts";

function problems(step: object, features: readonly HostFeature[] | null): readonly string[] {
  const { definition } = normalize({ name: "w", steps: [{ id: "a", run: "true", ...step }] });
  return compile(definition!, { features }).diagnostics.map(
    ({ severity, code, path }) => `${severity} ${code} ${path}`,
  );
}

test.each([
  ["keys", { concurrency: { key: "db", max: 1 } }, "warning unsupported_feature /steps/0/concurrency"],
  ["resources", { resources: { gpu: 1 } }, "warning unsupported_feature /steps/0/resources"],
  ["docker", { runner: { kind: "docker" } }, "error unsupported_feature /steps/0/runner"],
  ["remote", { runner: { kind: "remote" } }, "error unsupported_feature /steps/0/runner"],
] as const)("names %s where the host lacks it, and only there", (feature, step, expected) => {
  expect(problems(step, [])).toEqual([expected]);
  expect(problems(step, [feature])).toEqual([]);
  expect(problems(step, null)).toEqual([]);
});

test("names a schedule that nothing acts on", () => {
  const { definition } = normalize({ name: "w", schedule: "0 3 * * *", steps: [{ id: "a", run: "true" }] });
  expect(compile(definition!, { features: [] }).diagnostics).toMatchObject([
    { code: "unsupported_feature", path: "/schedule" },
  ]);
});
