import { ok as assert } from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Client } from "pg";
import type { ClientConfig } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CertificateAuthority } from "./certificates/certificate-authority.ts";
import { PostgresServer } from "./postgres-server.ts";

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start(18, { settings: { fsync: false, work_mem: "5MB" } });
});

afterAll(async () => {
  await server.stop();
});

async function query(statement: string, to: string | ClientConfig = server.url()): Promise<unknown[]> {
  const client = new Client(to);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: statement, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end();
  }
}

/** A session that works for a minute, and the error that ends it. */
async function startBusySession(): Promise<Promise<unknown>[]> {
  const client = new Client(server.url());
  client.on("error", () => undefined);
  await client.connect();
  return [
    client.query("SELECT pg_sleep(60)").then(
      () => "done",
      (error: unknown) => error,
    ),
  ];
}

test("settings hold until `ALTER SYSTEM` says otherwise", async () => {
  expect(await query("SHOW work_mem")).toEqual(["5MB"]);
  await query("ALTER SYSTEM SET work_mem = '6MB'");
  await query("SELECT pg_reload_conf()");
  await expect.poll(async () => await query("SHOW work_mem")).toEqual(["6MB"]);
});

test("a created database is the one that its connection string leads to", async () => {
  const url = await server.createDatabase(`it's "odd"`);
  expect(await query("SELECT current_database()", url)).toEqual([`it's "odd"`]);
});

test("keeps what was committed through a kill and a restart, in the same place", async () => {
  const { port, dataDirectory, pid } = server;
  await query("CREATE TABLE kept AS SELECT 42 AS answer");
  const [busy] = await startBusySession();
  await server.kill9();
  expect(server.isRunning).toBe(false);
  await expect(query("SELECT 1")).rejects.toThrow("ECONNREFUSED");
  expect(await busy).toBeInstanceOf(Error);

  await server.restart();
  expect(server.isRunning).toBe(true);
  expect(server.pid).not.toBe(pid);
  expect({ port: server.port, dataDirectory: server.dataDirectory }).toEqual({ port, dataDirectory });
  expect(await query("SELECT answer FROM kept")).toEqual([42]);
});

test.each([
  ["fast", /^terminating connection due to administrator command$/u],
  ["immediate", /^Connection terminated unexpectedly$|ECONNRESET/u],
] as const)("a stop that is %s ends sessions (%s), and the server starts again", async (mode, message) => {
  const [busy] = await startBusySession();
  await server.halt(mode);
  await server.restart();
  expect(await busy).toMatchObject({ message: expect.stringMatching(message) });
  expect(await query("SELECT 1")).toEqual([1]);
});

test("a paused server can be stopped", async () => {
  const { pid } = server;
  assert(pid !== undefined);
  process.kill(pid, "SIGSTOP");
  await server.restart("immediate");
  expect(await query("SELECT 1")).toEqual([1]);
});

test("nothing is left of a server that was stopped, also when it had been killed before", async () => {
  const other = await PostgresServer.start(15, { settings: { fsync: false } });
  expect(await query("SHOW server_version", other.url())).toEqual([expect.stringMatching(/^15\./u)]);
  await other.kill9();
  await other.stop();
  expect(existsSync(dirname(other.dataDirectory))).toBe(false);
});

test.each([15, 18] as const)(
  "PostgreSQL %i with a certificate offers TLS, and takes sessions without it, too",
  async (version) => {
    const authority = new CertificateAuthority("authority");
    const certificate = authority.issue({ hosts: ["127.0.0.1"] });
    const secured = await PostgresServer.start(version, { settings: { fsync: false }, certificate });
    try {
      const statement = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
      expect(await query(statement, secured.url())).toEqual([false]);
      expect(await query(statement, { connectionString: secured.url(), ssl: { ca: authority.certificate } })).toEqual([
        true,
      ]);
    } finally {
      await secured.stop();
    }
  },
);

test("a server that cannot start says why, with the end of its log, and leaves nothing", async () => {
  const settings = { no_such_setting: 1 };
  const { message } = await PostgresServer.start(15, { settings }).then(
    () => new Error("it has started"),
    (error: Error) => error,
  );
  expect(message).toMatch(/^PostgreSQL 15 ended while starting\./u);
  expect(message).toContain('unrecognized configuration parameter "no_such_setting"');
  const home = /"(?<home>\S+)\/data\/postgresql\.conf"/u.exec(message)?.groups?.["home"] ?? "";
  expect(home).toContain("braid-postgres-15-");
  expect(existsSync(home)).toBe(false);
});
