import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { storeContract } from "../contract.ts";
import { createPostgresStore } from "../postgres.ts";
import { grants } from "./grants.ts";
import { migrate } from "./migrate.ts";
import { ScratchLinks } from "./scratch-links.ts";

const clock = "(select at from public.test_clock)";

/** What a role may do is the same everywhere, and the whole suite takes a while. */
const newest = inject("postgresServers").findLast(({ isPooled }) => !isPooled)?.name;

/** The contract once more, as a role that has only the rights that are documented. */
describeEachServer((server) => {
  // A pooler may give all its clients the rights of one user.
  const scratch = new ScratchLinks({ url: server.directUrl });
  const { names } = scratch;
  let url: string;
  /** Those that others refer to last. Emptying small tables takes less time than making new ones. */
  let tables: readonly string[];
  beforeAll(async () => {
    await scratch.next();
    await scratch.query(`create role ${scratch.database} login password 'secret'`);
    await scratch.query("create table public.test_clock (at bigint not null)");
    await scratch.query("insert into public.test_clock values (1763657000000)");
    const owner = scratch.open();
    await migrate(owner, names, { apply: true });
    await owner.transaction((transaction) => transaction.run(grants(names, scratch.database)));
    await scratch.query(`grant select on public.test_clock to ${scratch.database}`);
    const rows = await scratch.query(
      `select tablename from pg_tables where schemaname = 'braid' and tablename <> 'schema_version'
       order by tablename = 'workflows', tablename = 'runs'`,
    );
    tables = rows.map(([name]) => name as string);
    url = Object.assign(new URL(scratch.url), { username: scratch.database, password: "secret" }).href;
  });
  afterAll(async () => {
    await scratch.query(`drop owned by ${scratch.database}`);
    await scratch.query(`drop role ${scratch.database}`);
    await scratch.remove();
  });

  test.each(server.name === newest ? storeContract : storeContract.slice(0, 1))(
    "a store of another owner $claim",
    async ({ check }) => {
      for (const table of tables) await scratch.query(`delete from ${table}`);
      const store = createPostgresStore({ url, clock });
      await store.open();
      try {
        await check({
          store,
          async advance(ms) {
            await scratch.query("update public.test_clock set at = at + $1::bigint", [ms]);
          },
        });
      } finally {
        await store.close();
      }
    },
  );

  test("is not the owner of anything", async () => {
    expect(
      await scratch.query("select count(*) from pg_class where relowner = $1::regrole", [scratch.database]),
    ).toEqual([[0]]);
  });
});
