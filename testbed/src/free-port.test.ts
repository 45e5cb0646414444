import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { expect, test } from "vitest";
import { withFreePort } from "./free-port.ts";

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("gives a port that can be listened on, out of reach of outgoing connections", async () => {
  const port = await withFreePort(async (free) => {
    const server = await listen(free);
    server.close();
    return free;
  });
  expect(port).toBeLessThan(32_768);
});

test("tries another port when somebody else was faster", async () => {
  const rivals: Server[] = [];
  const ports: number[] = [];
  const port = await withFreePort(async (free) => {
    ports.push(free);
    if (ports.length > 2) return free;
    rivals.push(await listen(free));
    throw new Error("address in use");
  });
  expect(ports).toHaveLength(3);
  expect(port).toBe(ports[2]);
  for (const rival of rivals) rival.close();
});

test("passes on a failure that has nothing to do with the port", async () => {
  let tries = 0;
  const starting = withFreePort(async () => {
    tries += 1;
    return await Promise.reject(new Error("bad configuration"));
  });
  await expect(starting).rejects.toThrow("bad configuration");
  expect(tries).toBe(1);
});
