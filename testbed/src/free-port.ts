import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Ports below those that Linux (32768) and macOS (49152) give to outgoing connections. While a server is down its clients keep
 * knocking, and one of their sockets could otherwise be given the server's port, or even connect to itself.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_TRIES = 100;

/**
 * Starts a server on a port of 127.0.0.1 that was free a moment ago. Somebody else may have bound it since then: when `start` fails
 * and the port is in use, it is tried again with another one.
 */
export async function withFreePort<Server>(start: (port: number) => Promise<Server>): Promise<Server> {
  for (let tries = 1; ; tries += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (!(await isFree(port))) {
      if (tries === MAX_TRIES) throw new Error(`Every port tried between ${FIRST_PORT} and ${LAST_PORT} is in use.`);
      continue;
    }
    try {
      return await start(port);
    } catch (error) {
      if (tries === MAX_TRIES || (await isFree(port))) throw error;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: "127.0.0.1" });
    await once(server, "listening");
    return true;
  } catch {
    // Whatever keeps us from listening keeps a server from it, too.
    return false;
  } finally {
    server.close();
  }
}
