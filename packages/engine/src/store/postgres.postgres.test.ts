import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storeContract } from "./contract.ts";
import { createPostgresStore } from "./postgres.ts";
import { ScratchLinks } from "./postgres/scratch-links.ts";

/** Claims that this store does not make, each with the reason. */
const skips: Readonly<Record<string, string>> = {};

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const clock = "(select at from public.test_clock)";

  beforeAll(async () => {
    await scratch.next();
    await scratch.query("create table public.test_clock (at bigint not null)");
    await scratch.query("insert into public.test_clock values (1763657000000)");
    const store = createPostgresStore({ url: scratch.url });
    await store.open();
    await store.close();
  });
  afterAll(() => scratch.remove());

  test.each(storeContract.filter(({ claim }) => !(claim in skips)))("a store $claim", async ({ check }) => {
    const link = scratch.open();
    const tables = await link.rows({
      name: "",
      text: "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables where schemaname = 'braid' and tablename <> 'schema_version'",
    });
    await link.rows({ name: "", text: `truncate ${tables[0]![0] as string}` });
    const store = createPostgresStore({ url: scratch.url, clock });
    await store.open();
    try {
      await check({
        store,
        async advance(ms) {
          await link.rows({ name: "", text: "update public.test_clock set at = at + $1" }, [ms]);
        },
      });
    } finally {
      await store.close();
      await link.close();
    }
  });

  test("skips no claim that the suite does not make", () => {
    const known = new Set(storeContract.map(({ claim }) => claim));
    expect(Object.keys(skips).filter((claim) => !known.has(claim))).toEqual([]);
  });
});
