import { z } from "zod";
import type { JsonObject } from "../json.ts";
import { graph, workflow } from "./schema/workflow.ts";

/**
 * The written form as a JSON Schema (draft 2020-12), for editors: what `normalize` accepts in every documented spelling, with
 * a sentence about each key. It is made with zod, which takes longer to load than a short run of a workflow takes; so nothing
 * that runs workflows imports this file, and a test holds the schema and the readers together.
 */
export function jsonSchema(): JsonObject {
  const { $schema, $defs = {} } = z.toJSONSchema(z.union([workflow, graph]), {
    io: "input",
    override: ({ jsonSchema: made }) => {
      if (made.additionalProperties === false) made.patternProperties = { "^x-": {} };
      // Bounds that every number of JSON has anyway.
      if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
      if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
    },
  });
  return withoutDetours({
    $schema,
    title: "Braid workflow",
    description: "A workflow of Braid, as a list of steps or as a graph of nodes and edges.",
    type: "object",
    if: { required: ["nodes"] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { $ref: "#/$defs/graph" },
    else: { $ref: "#/$defs/workflow" },
    $defs,
  });
}

/** Definitions that only point to another one are what is left of recursion: references skip them. */
function withoutDetours(schema: {
  readonly $defs: { readonly [name: string]: object };
  readonly [key: string]: unknown;
}): JsonObject {
  const targets = new Map<string, string>();
  const kept: { [name: string]: object } = {};
  for (const [name, definition] of Object.entries(schema.$defs)) {
    const { $ref, ...rest } = definition as { readonly $ref?: string };
    if ($ref !== undefined && Object.keys(rest).length === 0) targets.set(`#/$defs/${name}`, $ref);
    else kept[name] = definition;
  }
  const text = JSON.stringify({ ...schema, $defs: kept }, (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? (targets.get(value) ?? value) : value,
  );
  return JSON.parse(text) as JsonObject;
}

/** The schema as the file that is published with the package. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
