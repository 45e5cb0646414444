import type { TestProject } from "vitest/node";
import { HOW_TO_INSTALL, PgBouncer, findPgBouncer } from "../pgbouncer.ts";
import type { PostgresVersion } from "../postgres-binaries.ts";
import { PostgresServer } from "../postgres-server.ts";
import type { TestServer } from "./test-server.ts";

/** What tests connect to, and how to end what was started for it. */
interface Started {
  readonly server: TestServer;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the servers of the project `postgres`, once for all of its files: PostgreSQL 15 and 18, and pgbouncer in front of 18. If
 * `BRAID_TEST_POSTGRES_URL` is set, that server takes the place of both. Each test makes databases of its own in them.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env["BRAID_TEST_POSTGRES_URL"] ?? "";
  const attempts = await Promise.allSettled(
    external === "" ? [startPostgres(15), startPostgres(18)] : [useExternal(external)],
  );
  const started = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const stopAll = async (): Promise<void> => {
    await Promise.all(started.map(async ({ stop }) => await stop()));
  };
  try {
    for (const attempt of attempts) if (attempt.status === "rejected") throw attempt.reason;
    const last = started.at(-1);
    if (last !== undefined) started.push(await startPgBouncer(last.server));
  } catch (error) {
    await stopAll();
    throw error;
  }
  project.provide(
    "postgresServers",
    started.map(({ server }) => server),
  );
  return stopAll;
}

async function startPostgres(version: PostgresVersion): Promise<Started> {
  // What is at stake in these tests outlives a killed server without fsync: only a power cut loses what the system has cached.
  const postgres = await PostgresServer.start(version, { settings: { fsync: false, max_connections: 300 } });
  const url = postgres.url();
  return {
    server: { name: `PostgreSQL ${version}`, url, directUrl: url, isPooled: false },
    stop: async () => await postgres.stop(),
  };
}

async function useExternal(url: string): Promise<Started> {
  const server = { name: "PostgreSQL of `BRAID_TEST_POSTGRES_URL`", url, directUrl: url, isPooled: false };
  return await Promise.resolve({ server, stop: async () => await Promise.resolve() });
}

async function startPgBouncer({ name: upstreamName, url: upstream }: TestServer): Promise<Started> {
  const name = `${upstreamName} through pgbouncer`;
  if (findPgBouncer() === undefined) return skip(name);
  const pgbouncer = await PgBouncer.start({ upstream });
  const url = new URL(upstream);
  url.host = `127.0.0.1:${pgbouncer.port}`;
  return {
    server: { name, url: url.href, directUrl: upstream, isPooled: true },
    stop: async () => await pgbouncer.stop(),
  };
}

function skip(name: string): Started {
  const skipReason = "there is no `pgbouncer` on this machine";
  const message = `The tests of ${name} need what is missing: ${skipReason}. ${HOW_TO_INSTALL}`;
  if ((process.env["CI"] ?? "") !== "") throw new Error(message);
  process.stderr.write(`\nSKIPPED: ${message}\n\n`);
  return {
    server: { name, url: "", directUrl: "", isPooled: true, skipReason },
    stop: async () => await Promise.resolve(),
  };
}
