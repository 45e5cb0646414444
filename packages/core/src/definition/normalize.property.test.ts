import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SECTIONS } from "./aliases.ts";
import type { Section } from "./aliases.ts";
import { spellings } from "./meaning.ts";
import { normalize } from "./normalize.ts";
import { parseDefinition, parseGraph } from "./parse-definition.ts";

const KEYS = new Set((Object.keys(SECTIONS) as Section[]).flatMap((section) => Array.from(spellings(section).keys())));

const WORDS = ["all", "continue", "fail_all", "5m", "a", "b.error", "${{ inputs.x }}", "docker", "string", "", "10%"];

/** JSON that looks like a definition often enough to reach every reader. */
const almostDefinitions = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom(...WORDS),
    fc.oneof(fc.integer({ min: -2, max: 5 }), fc.double()),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("value"), { maxKeys: 6 }),
  ),
})).value;

const readers = { normalize, parseDefinition, parseGraph };

test.each(Object.entries(readers))(
  "%s never throws, and gives a definition exactly when there is no error",
  { timeout: 30_000 },
  (_, reader) => {
    const inputs = fc.oneof(
      fc.anything({ maxDepth: 4 }),
      fc.jsonValue({ maxDepth: 6 }),
      almostDefinitions,
      almostDefinitions.map((value) => ({
        steps: [value, { id: "a", run: "x", parallel: value }],
        nodes: [value],
        edges: value,
      })),
      almostDefinitions.map((value) => ({ steps: [{ id: "a", ...(value as object) }] })),
      almostDefinitions.map((value) => ({ nodes: [{ id: "a", data: value, ...(value as object) }], edges: [value] })),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        const { definition, diagnostics } = reader(input);
        expect(definition === null).toBe(diagnostics.some(({ severity }) => severity === "error"));
        // Every definition is plain JSON.
        expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
        for (const { message } of diagnostics) expect(message).toMatch(/^\P{Control}+\.$/u);
      }),
      { numRuns: 1000 },
    );
  },
);
