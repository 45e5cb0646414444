import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { storeContract } from "./contract.ts";
import type { Store } from "./port.ts";
import { createMemoryStore } from "./memory.ts";
import { createSqliteStore } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "braid-store-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;

interface Implementation {
  readonly name: string;
  readonly create: (now: () => number) => Store;
  /** Claims that this store does not make, each with the reason. */
  readonly skips: Readonly<Record<string, string>>;
}

const implementations: readonly Implementation[] = [
  { name: "memory", create: (now) => createMemoryStore({ now }), skips: {} },
  {
    name: "sqlite",
    create: (now) => createSqliteStore({ path: join(directory, `${(files += 1)}.db`), now }),
    skips: {},
  },
];

describe.each(implementations)("a $name store", ({ create, skips }) => {
  const claims = storeContract.filter(({ claim }) => !(claim in skips));

  test.each(claims)("$claim", async ({ check }) => {
    let now = 1_763_657_000_000;
    const store = create(() => now);
    await store.open();
    try {
      await check({
        store,
        async advance(ms) {
          now += ms;
        },
      });
    } finally {
      await store.close();
    }
  });

  test("skips no claim that the suite does not make", () => {
    const known = new Set(storeContract.map(({ claim }) => claim));
    expect(Object.keys(skips).filter((claim) => !known.has(claim))).toEqual([]);
    expect(known.size).toBe(storeContract.length);
  });
});
