import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { migrate, migrationState } from "./migrate.ts";
import { migrations, newestSchema } from "./migrations/all.ts";
import type { Migration } from "./migrations/all.ts";
import { thisBuild } from "./schema-state.ts";
import type { SchemaSupport } from "./schema-state.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { putWorker } from "./workers.ts";

const next = newestSchema + 1;
const worker = { id: "w1", host: "alpha", pid: 7, startedAt: 1_000, name: "red", queues: [], resources: {} };

/** A later build, which adds one migration to those of this one. */
function laterBuild(migration: Partial<Migration>, oldestSchema = newestSchema): SchemaSupport {
  const usual = {
    title: "a new column",
    sql: () => "alter table braid.ranks add column extra integer",
    oldestBuild: 1,
  };
  return { migrations: [...migrations, { ...usual, ...migration }], oldestSchema };
}

const compatible = laterBuild({});
const breaking = laterBuild({ oldestBuild: next });

/** Builds of different ages on one store. */
describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const { names } = scratch;
  beforeEach(async () => {
    await scratch.next();
    await migrate(scratch.open(), names, { apply: true });
  });
  afterAll(() => scratch.remove());

  test("an older build goes on after a migration that it can live with", async () => {
    await putWorker(scratch.open(), names, worker);
    const upgraded = await migrate(scratch.open(), names, { apply: true, support: compatible });
    expect(upgraded).toEqual({ version: next, applied: [next], held: null });
    expect(await migrate(scratch.open(), names, { apply: true })).toEqual({ version: next, applied: [], held: null });
    expect(await migrationState(scratch.open(), names)).toEqual({ version: next, newest: newestSchema, pending: [] });
    await putWorker(scratch.open(), names, worker);
  });

  test("an older build is told that it is too old, also while it is at work", async () => {
    await migrate(scratch.open(), names, { apply: true, support: breaking });
    const refused = {
      code: "store_too_new",
      message: expect.stringMatching(`version ${next}, .* versions up to ${newestSchema}. Use a newer build`) as string,
    };
    await expect(migrate(scratch.open(), names, { apply: true })).rejects.toMatchObject(refused);
    await expect(migrate(scratch.open(), names, { apply: false })).rejects.toMatchObject(refused);
    await expect(migrationState(scratch.open(), names)).rejects.toMatchObject(refused);
    await expect(putWorker(scratch.open(), names, worker)).rejects.toMatchObject({ code: "store_too_new" });
    expect(await scratch.query("select id from workers")).toEqual([]);
    await putWorker(scratch.open(), names, { ...worker, schemas: { oldest: next, newest: next } });
  });

  test("a migration that would break workers waits until none is at work", async () => {
    await putWorker(scratch.open(), names, worker);
    await putWorker(scratch.open(), names, { ...worker, id: "w2", name: "new", schemas: { oldest: 1, newest: next } });
    const { held, ...state } = await migrate(scratch.open(), names, { apply: true, support: breaking });
    expect(state).toEqual({ version: newestSchema, applied: [] });
    expect(held).toMatchObject({
      code: "store_outdated",
      message: expect.stringContaining(
        `\`red\` (process 7 on alpha, knows ${newestSchema}). Stop or upgrade`,
      ) as string,
    });
    expect(held?.message).not.toContain("`new`");
    const needy = laterBuild({ oldestBuild: next }, next);
    await expect(migrate(scratch.open(), names, { apply: true, support: needy })).rejects.toThrow("`red`");

    await scratch.query("update workers set seen_at = seen_at - 121000 where id = 'w1'");
    const upgraded = await migrate(scratch.open(), names, { apply: true, support: breaking });
    expect(upgraded).toEqual({ version: next, applied: [next], held: null });
  });

  test("no worker announces itself between the look for workers and the end of the migration", async () => {
    const slow = laterBuild({ oldestBuild: next, sql: () => "select pg_sleep(0.3)" });
    const migrating = migrate(scratch.open(), names, { apply: true, support: slow });
    const isMigrating =
      "select 1 from pg_locks where relation = 'workers'::regclass and mode = 'ShareRowExclusiveLock'";
    while ((await scratch.query(isMigrating)).length === 0);
    await expect(putWorker(scratch.open(), names, worker)).rejects.toMatchObject({ code: "store_too_new" });
    expect((await migrating).applied).toEqual([next]);
  });

  test("an older build that starts while a newer one migrates does no harm", async () => {
    const builds = [thisBuild, compatible, thisBuild, compatible, thisBuild];
    const done = await Promise.all(builds.map((support) => migrate(scratch.open(), names, { apply: true, support })));
    expect(done.flatMap(({ applied }) => applied)).toEqual([next]);
  });

  test("a newer build works on an older schema that it still knows, and on no older one", async () => {
    const checked = await migrate(scratch.open(), names, { apply: false, support: compatible });
    expect(checked).toEqual({ version: newestSchema, applied: [], held: null });
    const needy = laterBuild({}, next);
    await expect(migrate(scratch.open(), names, { apply: false, support: needy })).rejects.toMatchObject({
      code: "store_outdated",
      message: expect.stringContaining("has version 2; this build works on versions from 3 to 3") as string,
    });
  });
});
