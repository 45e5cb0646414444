import { freshDatabase, withDatabase } from "@braid/testbed";
import { describeEachServer } from "@braid/testbed/vitest";
import { Client } from "pg";
import { expect, test } from "vitest";

/** Runs the body with as many connections as asked for, and ends them. */
async function withClients(
  url: string,
  count: number,
  body: (clients: readonly Client[]) => Promise<void>,
): Promise<void> {
  const clients = Array.from({ length: count }, () => new Client(url));
  try {
    await Promise.all(clients.map(async (client) => await client.connect()));
    await body(clients);
  } finally {
    await Promise.all(clients.map(async (client) => await client.end()));
  }
}

async function readSession(client: Client): Promise<number> {
  const { rows } = await client.query<{ session: number }>("SELECT pg_backend_pid() AS session");
  return rows[0]?.session ?? 0;
}

describeEachServer((server) => {
  test("the server answers, and is of the version that its name says", async () => {
    await withClients(server.url, 1, async (clients) => {
      const result = await clients[0]?.query<{ server_version: string }>("SHOW server_version");
      const [major] = (result?.rows[0]?.server_version ?? "").split(".");
      const named = /^PostgreSQL (?<major>\d+)/u.exec(server.name)?.groups?.["major"];
      expect(Number(major)).toBeGreaterThanOrEqual(15);
      expect(major).toBe(named ?? major);
    });
  });

  test("clients share a session of the server exactly when a pooler is in between", async () => {
    const database = await freshDatabase(server.url);
    try {
      await withClients(database.url, 3, async (clients) => {
        const sessions = new Set<number>();
        for (const client of clients) sessions.add(await readSession(client));
        expect(sessions.size).toBe(server.isPooled ? 1 : 3);
      });
    } finally {
      await database.drop();
    }
  });

  test("the direct way leads past the pooler to the same server", async () => {
    const database = await freshDatabase(server.url);
    try {
      await withClients(withDatabase(server.directUrl, database.name), 2, async ([one, other]) => {
        if (one === undefined || other === undefined) throw new Error("two clients were asked for");
        expect(await readSession(one)).not.toBe(await readSession(other));
      });
    } finally {
      await database.drop();
    }
  });
});
