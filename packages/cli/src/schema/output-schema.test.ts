import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { jsonSchemaText, outputSchemas } from "./output-schema.ts";
import type { OutputName } from "./output-schema.ts";

const directory = new URL("../../schema/", import.meta.url);
const names = Object.keys(outputSchemas) as OutputName[];

test("the published files are those of the source", () => {
  expect(readdirSync(directory).toSorted()).toEqual(names.map((name) => `${name}.schema.json`).toSorted());
});

test.each(names)("%s.schema.json is up to date (`npm run schema -w packages/cli` writes it)", async (name) => {
  await expect(jsonSchemaText(name)).toMatchFileSnapshot(`../../schema/${name}.schema.json`);
});

test("the examples of the documentation are lines of `braid run --json`", () => {
  const lines = [
    {
      seq: 7,
      runId: "r1",
      at: "2026-01-01T00:00:00.000Z",
      type: "step.completed",
      step: "build",
      task: 0,
      attempt: 1,
      data: {},
    },
    {
      type: "run.summary",
      runId: "r1",
      epoch: 1,
      status: "completed",
      toleratedFailures: 0,
      error: null,
      failures: [],
      output: {},
      durationMs: 12,
      steps: {
        build: {
          status: "completed",
          attempts: 1,
          startedAt: "2026-01-01T00:00:00.000Z",
          finishedAt: "2026-01-01T00:00:00.009Z",
          durationMs: 9,
          skipReason: null,
          cause: null,
          tolerated: false,
          triggeredBy: null,
          error: null,
          output: {},
        },
      },
    },
    {
      type: "diagnostics",
      diagnostics: [{ code: "cycle", severity: "error", message: "a -> b -> a", path: "/steps/0" }],
    },
  ];
  for (const line of lines) expect(outputSchemas.run.safeParse(line).error).toBeUndefined();
  expect(outputSchemas.run.safeParse({ ...lines[0], seq: 0 }).success).toBe(false);
});
