import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority, PgBouncer, PostgresServer, findPgBouncer } from "@braid/testbed";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

const doubling: StepType = {
  name: "doubling",
  run: async ({ input }) => ({ output: (input as { n: number }).n * 2 }),
};

const chain = define(`
name: chain
steps:
  - {id: first, type: doubling, with: {n: 3}}
  - {id: go, signal: go}
  - {id: second, type: doubling, with: {n: "\${{ steps.first.output }}"}}
output: "\${{ steps.second.output }}"
`);

const authority = new CertificateAuthority("authority of the server");
const directory = mkdtempSync(join(tmpdir(), "braid-encrypted-"));
const roots = join(directory, "root.crt");
writeFileSync(roots, authority.certificate);
afterAll(() => rmSync(directory, { recursive: true }));

const checked = `sslmode=verify-full&sslrootcert=${encodeURIComponent(roots)}`;

/** Runs go from end to end, between one process that starts them and one that works, and every connection is encrypted. */
describe.each([15, 18] as const)("PostgreSQL %i", (version) => {
  let server: PostgresServer;
  let engines: ScratchEngines;
  beforeAll(async () => {
    const certificate = authority.issue({ hosts: ["127.0.0.1"] });
    server = await PostgresServer.start(version, { settings: { fsync: false }, certificate });
    engines = new ScratchEngines({ url: `${server.url()}?${checked}` });
  });
  afterAll(async () => {
    await engines.clear();
    await server.stop();
  });

  async function expectRun(store: string): Promise<void> {
    const [starter, worker] = await engines.engines(2, { types: [doubling], store });
    await worker!.work();
    const run = await starter!.start(chain);
    await starter!.signal(run.id, "go", null);
    expect(await run.result()).toMatchObject({ status: "completed", output: 12 });
  }

  /** How many sessions of Braid the server has, and how many of them listen; none may be readable on the way. */
  async function sessions(): Promise<Record<string, unknown>> {
    const rows = await engines.scratch.query(
      `select ssl, query ilike 'listen %' from pg_stat_ssl join pg_stat_activity using (pid)
       where datname = current_database() and application_name = 'braid'`,
    );
    return {
      unencrypted: rows.filter(([isEncrypted]) => isEncrypted !== true).length,
      listening: rows.filter(([, isListening]) => isListening === true).length,
    };
  }

  test("a run goes through, and the worker's connection that listens is encrypted as well", async () => {
    await engines.next();
    await expectRun(engines.url);
    // The process that started the run has stopped to listen when the run had ended.
    await expect.poll(sessions).toEqual({ unencrypted: 0, listening: 1 });
  });

  test.skipIf(findPgBouncer() === undefined)(
    "a run goes through a pooler that demands TLS, and the direct way to listen by is encrypted without saying so",
    async () => {
      await engines.next();
      const pgbouncer = await PgBouncer.start({
        upstream: `${server.url()}?sslmode=require`,
        settings: {
          client_tls_sslmode: "require",
          client_tls_key_file: join(server.dataDirectory, "server.key"),
          client_tls_cert_file: join(server.dataDirectory, "server.crt"),
        },
      });
      try {
        const direct = server.url(engines.scratch.database);
        const pooled = pgbouncer.url(engines.scratch.database);
        await expectRun(`${pooled}?${checked}&listen=${encodeURIComponent(direct)}`);
        await expect.poll(sessions).toEqual({ unencrypted: 0, listening: 1 });
      } finally {
        await engines.close();
        await pgbouncer.stop();
      }
    },
  );
});
