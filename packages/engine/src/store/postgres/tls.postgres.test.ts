import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { CertificateAuthority, PostgresServer } from "@braid/testbed";
import type { PostgresOptions } from "@braid/testbed";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createPostgresStore } from "../postgres.ts";
import type { StoreError } from "../store-error.ts";

const authority = new CertificateAuthority("authority of the server");
const directory = mkdtempSync(join(tmpdir(), "braid-tls-"));
const roots = fileOf("root.crt", authority.certificate);
const otherRoots = fileOf("other.crt", new CertificateAuthority("authority of others").certificate);
/** As a person would keep it who trusts several. */
const manyRoots = fileOf("many.crt", `Authorities of others, and ours:\n${authority.certificate}`);

const settings = { fsync: false };
const hosts = ["127.0.0.1", "db.example"];
const servers: PostgresServer[] = [];

async function start(version: 15 | 18, options: PostgresOptions): Promise<PostgresServer> {
  const server = await PostgresServer.start(version, options);
  servers.push(server);
  return server;
}

function fileOf(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

afterAll(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  rmSync(directory, { recursive: true });
});

/** The server asks for no password, so this one is only there to be given away. */
function urlOf(server: PostgresServer, options: string, host = "127.0.0.1"): string {
  return `postgres://postgres:geheim@${host}:${server.port}/postgres?${options}`;
}

/** Whether the connections of a store are encrypted, as the server sees them. */
async function isEncrypted(server: PostgresServer, url: string): Promise<boolean> {
  const store = createPostgresStore({ url });
  const observer = new Client({ connectionString: server.url(), ssl: false });
  await observer.connect();
  try {
    await store.open();
    await store.putRanks("of both connections", [1]);
    // Sessions of the test before may still be ending: they began before the observer's.
    const { rows } = await observer.query<{ ssl: boolean }>(
      `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'braid'
         and backend_start > (select backend_start from pg_stat_activity where pid = pg_backend_pid())`,
    );
    expect(rows).toHaveLength(1);
    return rows[0]!.ssl;
  } finally {
    await Promise.all([observer.end(), store.close()]);
  }
}

/** One line that says what, where and what to do, and nothing anywhere that gives the password away. */
async function expectRefusal(url: string, message: RegExp): Promise<void> {
  const store = createPostgresStore({ url });
  const error = await store.open().then(
    () => new Error("it has opened"),
    (reason: StoreError) => reason,
  );
  await store.close();
  expect(error).toMatchObject({ code: "store_cannot_open" });
  const { host } = new URL(url);
  expect(error.message).toMatch(new RegExp(`^The store \`postgres://postgres@${host}/postgres\`: .+\\.$`, "u"));
  expect(error.message).toMatch(message);
  expect(inspect(error, { depth: 10 })).not.toContain("geheim");
}

const unknownAuthority = /unable to verify.+`sslrootcert=FILE`/;
const otherName = /does not match .+localhost.+DNS:db\.example.+`sslmode=verify-ca`/;
const expired = /certificate has expired.+Renew/;
const noEncryption = /does not support SSL.+`sslmode=disable`/;

describe.each([15, 18] as const)("PostgreSQL %i with TLS", (version) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await start(version, { settings, certificate: authority.issue({ hosts }) });
  });

  test.each([
    ["nothing, as it is on this machine,", "", false],
    ["sslmode=disable", "sslmode=disable", false],
    ["sslmode=prefer", "sslmode=prefer", true],
    ["sslmode=prefer with another authority", `sslmode=prefer&sslrootcert=${otherRoots}`, true],
    ["sslmode=require", "sslmode=require", true],
    ["sslmode=require with its authority", `sslmode=require&sslrootcert=${roots}`, true],
    ["sslmode=verify-ca with its authority", `sslmode=verify-ca&sslrootcert=${roots}`, true],
    ["sslmode=verify-full with its authority", `sslmode=verify-full&sslrootcert=${roots}`, true],
    ["sslmode=verify-full with its authority among others", `sslmode=verify-full&sslrootcert=${manyRoots}`, true],
  ])("is used where the URL says %s", async (_, options, expected) => {
    expect(await isEncrypted(server, urlOf(server, options))).toBe(expected);
  });

  test.each(["prefer", "require", "verify-ca"])("may have another name for sslmode=%s", async (mode) => {
    expect(await isEncrypted(server, urlOf(server, `sslmode=${mode}&sslrootcert=${roots}`, "localhost"))).toBe(true);
  });

  test("is refused under another name for sslmode=verify-full", async () => {
    await expectRefusal(urlOf(server, `sslmode=verify-full&sslrootcert=${roots}`, "localhost"), otherName);
  });

  test.each([
    ["public authorities", "sslmode=verify-full"],
    ["another authority and sslmode=verify-full", `sslmode=verify-full&sslrootcert=${otherRoots}`],
    ["another authority and sslmode=verify-ca", `sslmode=verify-ca&sslrootcert=${otherRoots}`],
    ["another authority and sslmode=require", `sslmode=require&sslrootcert=${otherRoots}`],
  ])("is refused for %s", async (_, options) => {
    await expectRefusal(urlOf(server, options), unknownAuthority);
  });

  test("is checked as PGSSLMODE and PGSSLROOTCERT say", async () => {
    vi.stubEnv("PGSSLMODE", "verify-full");
    vi.stubEnv("PGSSLROOTCERT", roots);
    try {
      expect(await isEncrypted(server, urlOf(server, ""))).toBe(true);
      await expectRefusal(urlOf(server, "", "localhost"), otherName);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("a server whose certificate has expired", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await start(18, { settings, certificate: authority.issue({ hosts, validForMs: -3_600_000 }) });
  });

  test.each(["prefer", "require"])("is used for sslmode=%s", async (mode) => {
    expect(await isEncrypted(server, urlOf(server, `sslmode=${mode}`))).toBe(true);
  });

  test.each(["require", "verify-ca", "verify-full"])("is refused for sslmode=%s with its authority", async (mode) => {
    await expectRefusal(urlOf(server, `sslmode=${mode}&sslrootcert=${roots}`), expired);
  });
});

describe("a server without TLS", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await start(18, { settings });
  });

  test.each(["disable", "prefer"])("is used for sslmode=%s", async (mode) => {
    expect(await isEncrypted(server, urlOf(server, `sslmode=${mode}`))).toBe(false);
  });

  test.each(["require", "verify-ca", "verify-full"])("is refused for sslmode=%s", async (mode) => {
    await expectRefusal(urlOf(server, `sslmode=${mode}&sslrootcert=${roots}`), noEncryption);
  });
});

describe("a server whose TLS is too old", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    const old = { ssl_min_protocol_version: "TLSv1", ssl_max_protocol_version: "TLSv1.1" };
    server = await start(18, { settings: { ...settings, ...old }, certificate: authority.issue({ hosts }) });
  });

  test.each(["prefer", "require", "verify-full"])("is refused for sslmode=%s", async (mode) => {
    await expectRefusal(
      urlOf(server, `sslmode=${mode}&sslrootcert=${roots}`),
      /: tlsv1 alert protocol version\. .+TLS 1\.2/,
    );
  });
});
