import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Client } from "pg";
import { describe, expect, inject, test } from "vitest";
import { PgBouncer, findPgBouncer } from "./pgbouncer.ts";

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

const upstream = inject("postgresServers")[0]?.url ?? "";

describe.skipIf(findPgBouncer() === undefined)("pgbouncer, where this machine has it", () => {
  test("pools transactions, with our settings above its own, and is gone with its files after a stop", async () => {
    const pgbouncer = await PgBouncer.start({ upstream, settings: { default_pool_size: 3 } });
    expect(await query(pgbouncer.url(), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    const configuration = await query(pgbouncer.consoleUrl, "SHOW CONFIG");
    expect(configuration).toContainEqual(expect.objectContaining({ key: "pool_mode", value: "transaction" }));
    expect(configuration).toContainEqual(expect.objectContaining({ key: "default_pool_size", value: "3" }));
    await pgbouncer.stop();
    expect(existsSync(dirname(pgbouncer.logFile))).toBe(false);
    await expect(query(pgbouncer.url(), "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  });

  test("says why it cannot start, and leaves nothing", async () => {
    const { message } = await PgBouncer.start({ upstream, settings: { no_such_setting: 1 } }).then(
      () => new Error("it has started"),
      (error: Error) => error,
    );
    expect(message).toMatch(/^pgbouncer ended while starting:\n[^]*no_such_setting/u);
    const home = /\((?<home>\S+)\/pgbouncer\.ini/u.exec(message)?.groups?.["home"] ?? "";
    expect(home).toContain("braid-pgbouncer-");
    expect(existsSync(home)).toBe(false);
  });
});
