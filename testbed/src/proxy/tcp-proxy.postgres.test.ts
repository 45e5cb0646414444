import { describeEachServer } from "@braid/testbed/vitest";
import { Client } from "pg";
import { expect, test } from "vitest";
import { freshDatabase } from "../fresh-database.ts";
import { runStatement } from "../run-statement.ts";
import { TcpProxy } from "./tcp-proxy.ts";

async function countRows(url: string): Promise<number> {
  const client = new Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>("SELECT count(*)::int AS count FROM kept");
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
}

/** Inserts a row in a transaction through the proxy, and returns the error that its client gets. */
async function insertRow(url: string): Promise<unknown> {
  const client = new Client(url);
  client.on("error", () => undefined);
  await client.connect();
  await client.query("BEGIN");
  await client.query("INSERT INTO kept VALUES (1)");
  const answer = await client.query("COMMIT").catch((error: unknown) => error);
  await client.end();
  return answer;
}

describeEachServer((server) => {
  test.each([
    ["cutAfter", 1],
    ["cutBefore", 0],
  ] as const)("%s a COMMIT fails for the client alike, and leaves %i row", async (rule, expected) => {
    const database = await freshDatabase(server.url);
    const proxy = await TcpProxy.start(server.url);
    try {
      await runStatement(database.url, "CREATE TABLE kept (id integer)");
      const cut = proxy[rule]((bytes) => bytes.includes("COMMIT"));
      expect(await insertRow(proxy.url(database.url))).toBeInstanceOf(Error);
      expect(cut.hits).toBe(1);
      await expect.poll(async () => await countRows(database.url)).toBe(expected);
    } finally {
      await proxy.close();
      await database.drop();
    }
  });
});
