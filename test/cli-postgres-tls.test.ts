import { CertificateAuthority, PostgresServer } from "@braid/testbed";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workbench } from "./support/braid.ts";

/** `--store postgres://…?sslmode=…` against a server with a certificate: what users type, and what they are told. */

let server: PostgresServer;
let bench: Workbench;

beforeAll(async () => {
  const authority = new CertificateAuthority("authority of the server");
  const certificate = authority.issue({ hosts: ["127.0.0.1", "db.example"] });
  server = await PostgresServer.start(18, { settings: { fsync: false }, certificate });
  bench = new Workbench();
  bench.write("root.crt", authority.certificate);
  bench.write("other.crt", new CertificateAuthority("authority of others").certificate);
  bench.write("hello.yaml", "name: hello\nsteps:\n  - { id: hello, run: echo hello }\n");
});
afterAll(async () => {
  bench.remove();
  await server.stop();
});

/** The server asks for no password, so this one is only there to be given away. */
const at = (host: string, options: string): string =>
  `postgres://postgres:geheim@${host}:${server.port}/postgres?${options}`;

test.each(["sslmode=require", "sslmode=verify-ca&sslrootcert=root.crt", "sslmode=verify-full&sslrootcert=root.crt"])(
  "a run goes through with %s",
  async (options) => {
    const { code, stderr } = await bench.braid(["run", "hello.yaml", "--store", at("127.0.0.1", options)]);
    expect(code, stderr).toBe(0);
  },
);

test.each([
  ["127.0.0.1", "sslmode=verify-full", /unable to verify.+`sslrootcert=FILE`/],
  ["127.0.0.1", "sslmode=verify-ca&sslrootcert=other.crt", /unable to verify.+`sslrootcert=FILE`/],
  ["localhost", "sslmode=verify-full&sslrootcert=root.crt", /does not match.+`sslmode=verify-ca`/],
  ["127.0.0.1", "sslmode=verify-ca", /`sslmode=verify-full`/],
  ["127.0.0.1", "sslmode=require&sslrootcert=missing.crt", /`missing\.crt`.+cannot be read.+PEM/],
])("a worker and a command at %s with %s end with one line and exit code 3", async (host, options, message) => {
  for (const args of [["worker"], ["runs", "list"], ["run", "hello.yaml"]]) {
    const { code, stdout, stderr } = await bench.braid([...args, "--store", at(host, options)]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("geheim");
  }
});
