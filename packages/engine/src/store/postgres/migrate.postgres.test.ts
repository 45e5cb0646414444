import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { migrate, migrationState } from "./migrate.ts";
import { migrations, newestSchema } from "./migrations/all.ts";
import { namesOf } from "./names.ts";
import { printMigrations } from "./print-migrations.ts";
import { dumpSchema } from "./schema-dump.ts";
import { thisBuild } from "./schema-state.ts";
import { ScratchLinks } from "./scratch-links.ts";

const allNumbers = migrations.map((_, index) => index + 1);

/** A program that migrates as soon as it is told to. It loads the sources as they are, so that the test needs no build. */
const program = `
import { once } from "node:events";
import { createJiti } from "jiti";
const source = (path) => new URL(path, ${JSON.stringify(import.meta.url)}).pathname;
const alias = { "@braid/core": source("../../../../core/src/index.ts") };
const jiti = createJiti(source("./migrate.postgres.test.ts"), { alias });
const { Link } = await jiti.import(source("./link.ts"));
const { migrate, migrationState } = await jiti.import(source("./migrate.ts"));
const { namesOf } = await jiti.import(source("./names.ts"));
const { readPostgresUrl } = await jiti.import(source("./url.ts"));
const link = new Link({ ...readPostgresUrl(process.argv[1]), deadlineMs: 10_000 });
await migrationState(link, namesOf("braid"));
process.stdout.write("ready\\n");
await once(process.stdin, "data");
const { applied } = await migrate(link, namesOf("braid"), { apply: true });
process.stdout.write(JSON.stringify(applied) + "\\n");
await link.close();
process.exit(0);
`;

interface Child {
  readonly go: () => void;
  readonly applied: Promise<number[]>;
}

async function startMigrating(url: string): Promise<Child> {
  const cwd = fileURLToPath(new URL("../../..", import.meta.url));
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, url], {
    cwd,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close");
  await Promise.race([once(child.stdout, "data"), ended]);
  expect(output).toBe("ready\n");
  return {
    go: () => child.stdin.write("go\n"),
    applied: ended.then(() => JSON.parse(output.split("\n")[1]!) as number[]),
  };
}

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const { names } = scratch;
  beforeEach(() => scratch.next());
  afterAll(() => scratch.remove());

  /** The printed text brings its own transaction. */
  const runPrinted = (text: string): Promise<void> =>
    scratch.open().transaction((transaction) => transaction.run(`commit; ${text}`));

  test("migrates an empty database, and says what it will do and did", async () => {
    const link = scratch.open();
    const pending = migrations.map(({ title }, index) => ({ number: index + 1, title }));
    expect(await migrationState(link, names)).toEqual({ version: null, newest: newestSchema, pending });
    const done = await migrate(link, names, { apply: true });
    expect(done).toEqual({ version: newestSchema, applied: allNumbers, held: null });
    expect(await migrate(link, names, { apply: true })).toEqual({ version: newestSchema, applied: [], held: null });
    expect(await migrationState(link, names)).toEqual({ version: newestSchema, newest: newestSchema, pending: [] });
    const [row] = await scratch.query(
      "select version, oldest_build, changed_at > extract(epoch from now()) * 1000 - 60000 from schema_version",
    );
    expect(row).toEqual([newestSchema, migrations.at(-1)!.oldestBuild, true]);
  });

  test("changes nothing unless it is told to, and says what to do", async () => {
    const link = scratch.open();
    const message = `The schema \`braid\` of database \`${scratch.database}\` holds no store yet`;
    await expect(migrate(link, names, { apply: false })).rejects.toMatchObject({
      code: "store_outdated",
      message: expect.stringContaining(message) as string,
    });
    expect(await scratch.query("select 1 from pg_namespace where nspname = 'braid'")).toEqual([]);
    await migrate(link, names, { apply: true });
    const checked = await migrate(link, names, { apply: false });
    expect(checked).toEqual({ version: newestSchema, applied: [], held: null });
  });

  test("applies each migration once when eight connections and two processes begin at once", async () => {
    const children = await Promise.all([startMigrating(scratch.url), startMigrating(scratch.url)]);
    const links = Array.from({ length: 8 }, () => scratch.open());
    await Promise.all(links.map((link) => migrationState(link, names)));
    for (const child of children) child.go();
    const own = await Promise.all(links.map((link) => migrate(link, names, { apply: true })));
    const others = await Promise.all(children.map(({ applied }) => applied));
    const applied = [...own.map((each) => each.applied), ...others].flat();
    expect(applied.toSorted((a, b) => a - b)).toEqual(allNumbers);
    expect(own.map(({ version }) => version)).toEqual(own.map(() => newestSchema));
    await expect(await dumpSchema(scratch)).toMatchFileSnapshot("./schema.golden.txt");
  });

  test("leaves nothing of a migration that fails, and keeps those before it", async () => {
    const broken = { title: "broken", oldestBuild: 1, sql: () => "create table braid.half (); select 1 / 0" };
    const support = { ...thisBuild, migrations: [...migrations, broken] };
    await expect(migrate(scratch.open(), names, { apply: true, support })).rejects.toThrow("division by zero");
    const state = await migrationState(scratch.open(), names, support);
    expect(state).toMatchObject({ version: newestSchema, pending: [{ number: newestSchema + 1, title: "broken" }] });
    expect(await scratch.query("select to_regclass('half')::text")).toEqual([[null]]);
  });

  test("keeps its hands off a schema with tables of another program", async () => {
    await scratch.query("create schema braid");
    await scratch.query("create table braid.orders ()");
    const refused = { code: "store_not_a_store", message: expect.stringContaining("?schema=NAME") as string };
    await expect(migrate(scratch.open(), names, { apply: true })).rejects.toMatchObject(refused);
    await expect(migrationState(scratch.open(), names)).rejects.toMatchObject(refused);
    await scratch.query("create table braid.schema_version (version integer)");
    await expect(migrate(scratch.open(), names, { apply: true })).rejects.toMatchObject(refused);
    await scratch.query("drop table braid.orders, braid.schema_version");
    expect((await migrate(scratch.open(), names, { apply: true })).version).toBe(newestSchema);
  });

  test("keeps stores of several schemas in one database, whatever their names", async () => {
    const support = { ...thisBuild, migrations: [...migrations, { title: "none", oldestBuild: 3, sql: () => "" }] };
    for (const schema of ["public", `Mine "and" your's`, "ä$guard$"]) {
      const others = namesOf(schema);
      expect((await migrate(scratch.open(), others, { apply: true })).version).toBe(newestSchema);
      expect((await migrate(scratch.open(), others, { apply: true })).applied).toEqual([]);
      await runPrinted(printMigrations(others, newestSchema, support));
      const message = `The schema \`${schema}\` of database`;
      await expect(migrate(scratch.open(), others, { apply: true })).rejects.toThrow(message);
    }
  });

  test("prints for psql what it would do itself, and refuses to do it twice", async () => {
    await runPrinted(printMigrations(names, 0));
    await expect(await dumpSchema(scratch)).toMatchFileSnapshot("./schema.golden.txt");
    expect((await migrate(scratch.open(), names, { apply: true })).applied).toEqual([]);
    await expect(runPrinted(printMigrations(names, 0))).rejects.toThrow("already exists");
    expect(printMigrations(names, newestSchema)).toMatch(/^-- Nothing to do/);

    const more = { title: "more", oldestBuild: newestSchema + 1, sql: () => "create table braid.more ();" };
    const support = { ...thisBuild, migrations: [...migrations, more] };
    const text = printMigrations(names, newestSchema, support);
    await scratch.query(
      `insert into workers select 0, extract(epoch from now()) * 1000, 1, 1, ${newestSchema}, 'w', 'h', 'n', '[]', '{}'`,
    );
    await expect(runPrinted(text)).rejects.toThrow("workers are at work that do not know version 3");
    await scratch.query("delete from workers");
    await runPrinted(text);
    await expect(runPrinted(text)).rejects.toThrow("the store does not have version 2");
    expect(await migrationState(scratch.open(), names, support)).toMatchObject({
      version: newestSchema + 1,
      pending: [],
    });
  });
});
