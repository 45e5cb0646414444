import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

// Tests read the sources of every package, so that they need no build and a stack trace shows the line as written.
const sources = {
  alias: [
    { find: /^@braid\/core$/, replacement: source("packages/core/src/index.ts") },
    { find: /^@braid\/engine$/, replacement: source("packages/engine/src/index.ts") },
    { find: /^@braid\/engine\/testing$/, replacement: source("packages/engine/src/testing/index.ts") },
    { find: /^@braid\/testbed$/, replacement: source("testbed/src/index.ts") },
    { find: /^@braid\/testbed\/vitest$/, replacement: source("testbed/src/vitest/index.ts") },
  ],
};

/** Tests that need a PostgreSQL server, which only the project `postgres` starts. */
const needsServer = "**/*.postgres.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        resolve: sources,
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "packages/*/scenarios/**/*.test.ts",
            "packages/*/model/**/*.test.ts",
            "testbed/src/**/*.test.ts",
          ],
          exclude: [...configDefaults.exclude, needsServer],
        },
      },
      {
        // Tests against real servers, which the set-up starts once for all of them.
        resolve: sources,
        test: {
          name: "postgres",
          include: ["packages/*/src/**/*.postgres.test.ts", "testbed/src/**/*.postgres.test.ts"],
          globalSetup: ["testbed/src/vitest/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        // End-to-end tests start real processes from the built packages, as a user would; only the servers are read as sources.
        resolve: { alias: sources.alias.filter(({ find }) => find.source.includes("testbed")) },
        test: {
          name: "e2e",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, "test/chaos.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // When all others are through: it gives its faults times, and what else goes on would move them.
        test: { name: "chaos", include: ["test/chaos.test.ts"], sequence: { groupOrder: 1 } },
      },
    ],
    coverage: {
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "packages/*/src/testing/**"],
    },
  },
});
