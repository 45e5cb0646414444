import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export default defineConfig({
  test: {
    projects: [
      {
        // Unit tests read the sources of every package, so that they need no build and a stack trace shows the line as written.
        resolve: {
          alias: [
            { find: /^@braid\/core$/, replacement: source("packages/core/src/index.ts") },
            { find: /^@braid\/engine$/, replacement: source("packages/engine/src/index.ts") },
            { find: /^@braid\/engine\/testing$/, replacement: source("packages/engine/src/testing/index.ts") },
          ],
        },
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "packages/*/scenarios/**/*.test.ts",
            "packages/*/model/**/*.test.ts",
          ],
        },
      },
      {
        // End-to-end tests start real processes from the built packages, as a user would.
        test: {
          name: "e2e",
          include: ["test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "packages/*/src/testing/**"],
    },
  },
});
