import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { semanticsDocument } from "./document.ts";

const file = fileURLToPath(new URL("../../../docs/semantics.md", import.meta.url));

test("docs/semantics.md is what the scenarios make of it", () => {
  // `npm run semantics` sets this to write the file instead of checking it.
  if (process.env["BRAID_WRITE_SEMANTICS"] === "1") writeFileSync(file, semanticsDocument());
  expect(readFileSync(file, "utf8")).toBe(semanticsDocument());
});
