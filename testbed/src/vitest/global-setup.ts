import type { TestProject } from "vitest/node";
import { HOW_TO_INSTALL, PgBouncer, findPgBouncer } from "../pgbouncer.ts";
import type { PostgresVersion } from "../postgres-binaries.ts";
import { PostgresServer } from "../postgres-server.ts";
import type { Absence, TestServer } from "./test-server.ts";

/** What tests connect to, and how to end what was started for it. */
interface Started {
  readonly server: TestServer;
  readonly stop?: () => Promise<void>;
}

const EXTERNAL_ADVICE = "Tests can use a server of your own: set `BRAID_TEST_POSTGRES_URL`.";

/**
 * Starts the servers of the project `postgres`, once for all of its files: PostgreSQL 15 and 18, and pgbouncer in front of 18. If
 * `BRAID_TEST_POSTGRES_URL` is set, that server takes the place of both. Each test makes databases of its own in them.
 *
 * A server that is missing is no error here, which would end the tests of all other projects, too: `describeEachServer` tells.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env["BRAID_TEST_POSTGRES_URL"] ?? "";
  const started: Started[] =
    external === ""
      ? await Promise.all([startPostgres(15), startPostgres(18)])
      : [{ server: describeExternal(external) }];
  const newest = started.at(-1)?.server;
  if (newest !== undefined) started.push(await startPgBouncer(newest));

  const servers = started.map(({ server }) => server);
  for (const { name, absence } of servers) {
    if (absence === undefined) continue;
    process.stderr.write(`\n${name} is not tested: ${absence.reason}\n${absence.advice}\n\n`);
  }
  project.provide("postgresServers", servers);
  return async () => {
    await Promise.all(started.map(async ({ stop }) => await stop?.()));
  };
}

async function startPostgres(version: PostgresVersion): Promise<Started> {
  const name = `PostgreSQL ${version}`;
  try {
    // What these tests have at stake outlives a killed server without fsync: only a power cut loses what the system has cached.
    const postgres = await PostgresServer.start(version, { settings: { fsync: false, max_connections: 300 } });
    const url = postgres.url();
    return { server: { name, url, directUrl: url, isPooled: false }, stop: async () => await postgres.stop() };
  } catch (error) {
    // Told by the tests that miss it.
    return absent({ name, isPooled: false }, { reason: String(error), advice: EXTERNAL_ADVICE, isFailure: true });
  }
}

function describeExternal(url: string): TestServer {
  return { name: "PostgreSQL of `BRAID_TEST_POSTGRES_URL`", url, directUrl: url, isPooled: false };
}

async function startPgBouncer(upstream: TestServer): Promise<Started> {
  const name = `${upstream.name} through pgbouncer`;
  const isPooled = true;
  if (upstream.absence !== undefined) return absent({ name, isPooled }, upstream.absence);
  const path = findPgBouncer();
  if (path === undefined) {
    const isFailure = (process.env["CI"] ?? "") !== "";
    return absent(
      { name, isPooled },
      { reason: "there is no `pgbouncer` on this machine", advice: HOW_TO_INSTALL, isFailure },
    );
  }
  try {
    const pgbouncer = await PgBouncer.start({ upstream: upstream.url });
    const url = new URL(upstream.url);
    url.host = `127.0.0.1:${pgbouncer.port}`;
    return {
      server: { name, url: url.href, directUrl: upstream.url, isPooled },
      stop: async () => await pgbouncer.stop(),
    };
  } catch (error) {
    // Told by the tests that miss it.
    return absent(
      { name, isPooled },
      { reason: String(error), advice: `It is started from \`${path}\`.`, isFailure: true },
    );
  }
}

function absent(server: Pick<TestServer, "name" | "isPooled">, absence: Absence): Started {
  return { server: { ...server, url: "", directUrl: "", absence } };
}
