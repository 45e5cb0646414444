import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { SECTIONS } from "./aliases.ts";
import type { Section } from "./aliases.ts";
import { spellings } from "./meaning.ts";
import { parseDefinition } from "./parse-definition.ts";
import { jsonSchema, jsonSchemaText } from "./schema.ts";
import { INVALID, ONLY_READERS_KNOW, VALID } from "./written-forms.testdata.ts";

const schema = jsonSchema();
const accepts = new Ajv2020({ strict: false }).compile(schema);

interface Mapping {
  readonly properties: {
    readonly [key: string]: { readonly title?: string; readonly description?: string; readonly $ref?: string };
  };
}

const mappings = schema["$defs"] as unknown as { readonly [name: string]: Mapping };

test("the published file is what the schema generates (npm run schema -w packages/core)", () => {
  const published = readFileSync(new URL("../../schema/workflow.schema.json", import.meta.url), "utf8");
  expect(published).toBe(jsonSchemaText());
});

test.each(Object.entries(VALID))("schema and readers accept %s", (_, written) => {
  expect(accepts(written), JSON.stringify(accepts.errors)).toBe(true);
  expect(parseDefinition(written).diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
});

test.each(Object.entries(INVALID))("schema and readers refuse %s", (_, written) => {
  expect(accepts(written)).toBe(false);
  expect(parseDefinition(written).definition).toBeNull();
});

test.each(Object.entries(ONLY_READERS_KNOW))("readers refuse %s, which no schema can say", (_, written) => {
  expect(accepts(written), JSON.stringify(accepts.errors)).toBe(true);
  expect(parseDefinition(written).definition).toBeNull();
});

// Programs other than editors have no use for these: they are spellings and sections with one key each in an editor's eyes.
const SECTIONS_WITHOUT_SCHEMA = new Set<Section>(["runInput", "commandInput", "workflowInput"]);

test.each(Object.keys(SECTIONS).filter((name) => !SECTIONS_WITHOUT_SCHEMA.has(name as Section)) as Section[])(
  "the schema of `%s` has every documented spelling, with a title and a description",
  (name) => {
    const { properties } = mappings[name] ?? { properties: {} };
    for (const written of spellings(name).keys()) {
      const described = properties[written];
      expect(described, written).toBeDefined();
      const target = mappings[described?.$ref?.split("/").at(-1) ?? ""] as
        | { title?: string; description?: string }
        | undefined;
      expect(described?.title ?? target?.title, written).toBeTruthy();
      expect(described?.description ?? target?.description, written).toBeTruthy();
    }
  },
);

test("an editor completes only canonical keys", () => {
  const step = mappings["step"]?.properties ?? {};
  const completed = Object.entries(step).filter(([, property]) => !("doNotSuggest" in property));
  expect(completed.map(([key]) => key)).toEqual(SECTIONS.step.keys);
});
