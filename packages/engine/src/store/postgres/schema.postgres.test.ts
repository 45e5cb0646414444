import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { runColumns, stepColumns } from "../codec.ts";
import { migrate } from "./migrate.ts";
import { dumpSchema } from "./schema-dump.ts";
import { ScratchLinks } from "./scratch-links.ts";

const bigNames = /_(?:at|ms)$/;

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  beforeEach(async () => {
    await scratch.next();
    await migrate(scratch.open(), scratch.names, { apply: true });
  });
  afterAll(() => scratch.remove());

  test.each([
    ["runs", runColumns],
    ["steps", stepColumns],
  ])("has every column of the codec in table %s, of its kind", async (table, columns) => {
    const rows = await scratch.query(
      "select column_name::text, data_type, is_nullable from information_schema.columns where table_schema = 'braid' and table_name = $1",
      [table],
    );
    const byName = new Map(rows.map(([name, type, isNullable]) => [name, { type, isNullable: isNullable === "YES" }]));
    const types = { integer: "integer", boolean: "boolean", real: "double precision", text: "text", json: "json" };
    const expected = columns.map(({ name, kind, isNullable }) => {
      return [name, { type: kind === "integer" && bigNames.test(name) ? "bigint" : types[kind], isNullable }] as const;
    });
    expect(expected.map(([name]) => [name, byName.get(name)])).toEqual(expected);
  });

  test("has the schema of the golden dump", async () => {
    await expect(await dumpSchema(scratch)).toMatchFileSnapshot("./schema.golden.txt");
  });
});
