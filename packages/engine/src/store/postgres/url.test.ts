import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "@braid/testbed";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { readPostgresUrl } from "./url.ts";
import type { PostgresSettings } from "./url.ts";

const directory = mkdtempSync(join(tmpdir(), "braid-url-"));
const roots = join(directory, "root.crt");
const noRoots = join(directory, "no-root.crt");
const { certificate } = new CertificateAuthority("authority");
writeFileSync(roots, certificate);
writeFileSync(noRoots, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");

beforeEach(() => {
  for (const name of ["PGHOST", "PGSSLMODE", "PGSSLROOTCERT"]) vi.stubEnv(name, "");
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(directory, { recursive: true }));

type Way = PostgresSettings["address"];

/** What an address says of encryption, as the mode that says the same. */
function modeOf({ ssl, isSslOptional }: Way): string {
  if (ssl === false) return "disable";
  if (ssl.rejectUnauthorized === false) return isSslOptional ? "prefer" : "require";
  const mode = ssl.checkServerIdentity === undefined ? "verify-full" : "verify-ca";
  return ssl.ca === undefined ? `${mode} of public authorities` : mode;
}

const read = (text: string): string => modeOf(readPostgresUrl(text).address);

const listening = (text: string, listen: string): string =>
  modeOf(readPostgresUrl(`${text}&listen=${encodeURIComponent(listen)}`).listen as Way);

test.each([
  ["postgres://db.example/x", "prefer"],
  ["postgres://127.example/x", "prefer"],
  ["postgres:///x", "disable"],
  ["postgres://localhost/x", "disable"],
  ["postgres://127.0.0.1/x", "disable"],
  ["postgres://[::1]/x", "disable"],
  ["postgres:///x?host=/run/postgresql", "disable"],
])("without a mode %s means %s", (url, expected) => {
  expect(read(url)).toBe(expected);
});

test.each([
  ["sslmode=disable", "disable"],
  ["sslmode=prefer", "prefer"],
  [`sslmode=prefer&sslrootcert=${roots}`, "prefer"],
  ["sslmode=require", "require"],
  [`sslmode=require&sslrootcert=${roots}`, "verify-ca"],
  [`sslmode=verify-ca&sslrootcert=${roots}`, "verify-ca"],
  [`sslmode=verify-full&sslrootcert=${roots}`, "verify-full"],
  ["sslmode=verify-full", "verify-full of public authorities"],
  ["sslmode=verify-full&sslrootcert=system", "verify-full of public authorities"],
  ["sslrootcert=system", "verify-full of public authorities"],
])("%s means %s", (options, expected) => {
  expect(read(`postgres://db.example/x?${options}`)).toBe(expected);
  expect(read(`postgres://localhost/x?${options}`)).toBe(expected);
});

test("what the URL does not say comes from the variables of libpq", () => {
  vi.stubEnv("PGSSLMODE", "verify-full");
  vi.stubEnv("PGSSLROOTCERT", roots);
  expect(read("postgres://localhost/x")).toBe("verify-full");
  expect(read("postgres://localhost/x?sslmode=verify-ca")).toBe("verify-ca");
  expect(read("postgres://localhost/x?sslrootcert=system")).toBe("verify-full of public authorities");
});

test("a host that comes from PGHOST counts as if it stood in the URL", () => {
  vi.stubEnv("PGHOST", "db.example");
  expect(read("postgres:///x")).toBe("prefer");
  vi.stubEnv("PGHOST", "/run/postgresql");
  expect(read("postgres:///x?sslmode=require")).toBe("disable");
});

test("the way to listen by is encrypted and checked as the store's, unless it says otherwise", () => {
  const store = `postgres://pool.example/x?sslmode=verify-full&sslrootcert=${roots}`;
  expect(listening(store, "postgres://db.example/x")).toBe("verify-full");
  expect(listening(store, "postgres://localhost/x")).toBe("verify-full");
  expect(listening(store, "postgres://db.example/x?sslmode=verify-ca")).toBe("verify-ca");
  expect(listening(store, "postgres://db.example/x?sslmode=disable")).toBe("disable");
  expect(listening("postgres://localhost/x?schema=s", "postgres://db.example/x")).toBe("prefer");
});

test.each([
  ["sslmode=verify-ca", /`verify-ca` without an authority.*`sslrootcert`.*`sslmode=verify-full`/],
  ["sslmode=verify-ca&sslrootcert=system", /`verify-ca` without an authority/],
  ["sslmode=require&sslrootcert=system", /`require` without an authority/],
  ["sslmode=always", /the sslmode `always`.*disable, prefer, require, verify-ca, verify-full/],
  ["sslmode=require&sslrootcert=/nowhere/root.crt", /`\/nowhere\/root.crt`.*cannot be read: ENOENT.*PEM/],
  [`sslmode=require&sslrootcert=${noRoots}`, /`\S+no-root.crt`.*cannot be read: .*PEM certificates/],
  ["sslcert=client.crt", /unknown option `sslcert`/],
  [
    `listen=${encodeURIComponent("postgres://me:geheim@db.example/x?sslmod=require")}`,
    /`postgres:\/\/me@db.example\/x` to listen by has an unknown option `sslmod`/,
  ],
])("%s is refused in one line without the password", (options, message) => {
  const act = (): unknown => readPostgresUrl(`postgres://me:geheim@pool.example/x?${options}`);
  const refusal = expect.objectContaining({ code: "store_cannot_open" }) as Error;
  expect(act).toThrow(refusal);
  expect(act).toThrow(message);
  expect(act).not.toThrow(/geheim|\n/);
});
