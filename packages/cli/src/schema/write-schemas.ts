import { mkdirSync, writeFileSync } from "node:fs";
import { jsonSchemaText, outputSchemas } from "./output-schema.ts";
import type { OutputName } from "./output-schema.ts";

/** Writes the published JSON Schema files: `npm run schema -w packages/cli`. */
const directory = new URL("../../schema/", import.meta.url);
mkdirSync(directory, { recursive: true });
for (const name of Object.keys(outputSchemas) as OutputName[]) {
  writeFileSync(new URL(`${name}.schema.json`, directory), jsonSchemaText(name));
}
