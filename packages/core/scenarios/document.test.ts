import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { semanticsDocument } from "./document.ts";

// `npm run semantics` writes the file anew.
test("docs/semantics.md is what the scenarios make of it", async () => {
  const file = fileURLToPath(new URL("../../../docs/semantics.md", import.meta.url));
  await expect(semanticsDocument()).toMatchFileSnapshot(file);
});
