import { expect, test } from "vitest";
import { scriptReferences } from "./script-references.ts";

const warnings = (script: string): readonly string[] =>
  scriptReferences(script).problems.map(({ severity, code, message }) => `${severity} ${code} ${message.slice(0, 20)}`);

test.each([
  "x=${{ inputs.v }}; echo $((x + 1))",
  'x="${{ inputs.v }}"\n(( x > 1 )) && echo big',
  "n=${{ inputs.v }}; for ((i=0; i<n; i++)); do echo $i; done",
  "echo $[x]; export x=${{ inputs.v }}",
])("warns of %s", (script) => {
  expect(warnings(script)).toEqual([expect.stringMatching(/^warning unsafe_expression `\w` is computed/)]);
});

test.each([
  "x=${{ inputs.v }}; echo $x",
  "x=${{ inputs.v }}; echo $((xy + 1))",
  "echo ${{ inputs.v }} $((x))",
  "test a = ${{ inputs.v }}; echo $((a))",
])("is content with %s", (script) => {
  expect(warnings(script)).toEqual([]);
});
