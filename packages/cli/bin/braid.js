#!/usr/bin/env node
import { existsSync } from "node:fs";

// The bin is committed, not built: npm links only files that exist when it installs.
const main = new URL("../dist/main.js", import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    "braid: the program is not built, `dist/main.js` is missing beside `bin/`.\n" +
      "Run `npm ci` (or `npm run build`) at the root of the checkout, then try again.\n",
  );
  process.exitCode = 3;
}
