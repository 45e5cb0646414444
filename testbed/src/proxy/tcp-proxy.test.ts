import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { TcpProxy } from "./tcp-proxy.ts";

/** Long enough for bytes to cross the loopback, where a test says that nothing arrives. */
const QUIET_MS = 20;

interface World {
  readonly proxy: TcpProxy;
  /** What the server has received, over all connections. */
  readonly received: () => string;
  readonly serverSockets: readonly Socket[];
  readonly call: () => Promise<Client>;
}

interface Client {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly closed: Promise<unknown>;
  readonly say: (text: string) => void;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

/** A server that answers each chunk with `<chunk>`, the proxy in front of it, and clients of that. */
async function startWorld(): Promise<World> {
  let received = "";
  const serverSockets: Socket[] = [];
  const server = createServer((socket) => {
    serverSockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      received += bytes.toString();
      socket.write(`<${bytes.toString()}>`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await TcpProxy.start(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(async () => {
    await proxy.close();
    server.close();
  });
  return { proxy, received: () => received, serverSockets, call: async () => await dial(proxy.port) };
}

async function dial(port: number): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => (heard += bytes.toString()));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  cleanups.push(async () => await Promise.resolve(socket.destroy()));
  await once(socket, "connect");
  return { socket, heard: () => heard, closed, say: (text) => void socket.write(text) };
}

async function expectHeard(client: Client, text: string): Promise<void> {
  await vi.waitFor(() => expect(client.heard()).toBe(text), { interval: 2 });
}

test("forwards bytes in both directions and counts them", async () => {
  const { proxy, received, call } = await startWorld();
  const client = await call();
  client.say("hello");
  await expectHeard(client, "<hello>");
  expect(received()).toBe("hello");
  expect(proxy.counters).toMatchObject({
    connections: 1,
    openConnections: 1,
    bytesToServer: 5,
    bytesToClient: 7,
    cuts: 0,
  });
});

test("passes on the end of one side, with everything that came before it", async () => {
  const { proxy, received, call } = await startWorld();
  const client = await call();
  client.socket.end("bye");
  await client.closed;
  expect(received()).toBe("bye");
  expect(client.heard()).toBe("<bye>");
  await vi.waitFor(() =>
    expect(proxy.counters).toMatchObject({ openConnections: 0, bytesToServer: 3, bytesToClient: 5 }),
  );
});

test("loses and reorders nothing of more than any buffer holds", async () => {
  const { proxy, call } = await startWorld();
  const client = await call();
  proxy.delay(5);
  const text = Array.from({ length: 400_000 }, (_, index) => `${index};`).join("");
  client.say(text);
  await vi.waitFor(() => expect(client.heard().replaceAll(/[<>]/gu, "")).toHaveLength(text.length), {
    timeout: 10_000,
  });
  expect(client.heard().replaceAll(/[<>]/gu, "") === text).toBe(true);
});

test("a connection is refused by closing it when the server cannot be reached", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, "close");
  const proxy = await TcpProxy.start(`tcp://127.0.0.1:${port}`);
  cleanups.push(async () => await proxy.close());
  const client = await dial(proxy.port);
  await client.closed;
  await vi.waitFor(() => expect(proxy.counters.openConnections).toBe(0));
  expect(proxy.counters).toMatchObject({ connections: 1, failedConnections: 1, cuts: 0 });
});

test("a cut breaks the one connection, or all of them, on both sides", async () => {
  const { proxy, serverSockets, call } = await startWorld();
  const clients = [await call(), await call(), await call()];
  for (const client of clients) client.say("x");
  for (const client of clients) await expectHeard(client, "<x>");

  const [first] = proxy.connections;
  proxy.cut(first);
  await clients[0]?.closed;
  await vi.waitFor(() => expect(proxy.counters).toMatchObject({ openConnections: 2, cuts: 1 }));

  proxy.cut();
  await Promise.all(clients.map(async ({ closed }) => await closed));
  await vi.waitFor(() => expect(serverSockets.every(({ destroyed }) => destroyed)).toBe(true));
  await vi.waitFor(() => expect(proxy.counters).toMatchObject({ connections: 3, openConnections: 0, cuts: 3 }));
  const next = await call();
  next.say("again");
  await expectHeard(next, "<again>");
});

test("while frozen nothing gets through, also for new connections and ends; afterwards everything does", async () => {
  const { proxy, received, serverSockets, call } = await startWorld();
  const client = await call();
  client.say("a");
  await expectHeard(client, "<a>");

  proxy.freeze();
  client.say("b");
  serverSockets[0]?.write("!");
  const late = await call();
  late.socket.end("c");
  await sleep(QUIET_MS);
  expect(received()).toBe("a");
  expect(client.heard()).toBe("<a>");
  expect(late.socket.destroyed).toBe(false);

  proxy.thaw();
  await late.closed;
  expect(late.heard()).toBe("<c>");
  await expectHeard(client, "<a>!<b>");
});

test("a frozen connection does not notice that its server went away", async () => {
  const { proxy, serverSockets, call } = await startWorld();
  const client = await call();
  client.say("a");
  await expectHeard(client, "<a>");
  proxy.freeze();
  serverSockets[0]?.resetAndDestroy();
  await sleep(QUIET_MS);
  expect(client.socket.destroyed).toBe(false);
  proxy.thaw();
  await client.closed;
});

test("a delay holds each direction and keeps the order when it ends", async () => {
  const { proxy, call } = await startWorld();
  const client = await call();
  client.say("0");
  await expectHeard(client, "<0>");
  const delayMs = 15;
  proxy.delay(delayMs);
  const sentAt = performance.now();
  client.say("1");
  await expectHeard(client, "<0><1>");
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(2 * delayMs);

  client.say("2");
  await sleep(1);
  proxy.delay(0);
  client.say("3");
  await vi.waitFor(() => expect(client.heard()).toMatch(/<2><?3>$|<23>$/u), { interval: 2 });
});

test("a cut after forwarding lets the server act and the client know nothing", async () => {
  const { proxy, received, serverSockets, call } = await startWorld();
  const client = await call();
  const rule = proxy.cutAfter((bytes) => bytes.includes("COMMIT"));
  client.say("BEGIN");
  await expectHeard(client, "<BEGIN>");
  client.say("COMMIT");
  await client.closed;
  await vi.waitFor(() => expect(received()).toBe("BEGINCOMMIT"));
  expect(client.heard()).toBe("<BEGIN>");
  await vi.waitFor(() => expect(serverSockets[0]?.destroyed).toBe(true));
  expect(rule.hits).toBe(1);
  expect(proxy.counters).toMatchObject({ cuts: 1, bytesToServer: 11, bytesToClient: 7 });

  const next = await call();
  next.say("COMMIT");
  await expectHeard(next, "<COMMIT>");
});

test("a cut after forwarding drops answers that are still delayed", async () => {
  const { proxy, received, call } = await startWorld();
  const client = await call();
  proxy.cutAfter((bytes) => {
    if (bytes.includes("first")) proxy.delay(60_000);
    return bytes.includes("second");
  });
  client.say("first");
  await sleep(QUIET_MS);
  expect(received()).toBe("first");
  proxy.delay(0);
  client.say("second");
  await client.closed;
  await vi.waitFor(() => expect(received()).toBe("firstsecond"));
  expect(client.heard()).toBe("");
});

test("a cut before forwarding keeps the request from the server", async () => {
  const { proxy, received, call } = await startWorld();
  const client = await call();
  proxy.cutBefore((bytes) => bytes.includes("COMMIT"));
  client.say("BEGIN");
  await expectHeard(client, "<BEGIN>");
  client.say("COMMIT");
  await client.closed;
  await sleep(QUIET_MS);
  expect(received()).toBe("BEGIN");
  expect(proxy.counters.cuts).toBe(1);
});

test("a rule cuts as often as it may, is told which connection it looks at, and can be canceled", async () => {
  const { proxy, call } = await startWorld();
  const [bystander, ...victims] = [await call(), await call(), await call(), await call()];
  const rule = proxy.cutAfter((_, { id }) => id !== 1, 2);
  for (const client of [bystander, ...victims]) client?.say("x");
  await vi.waitFor(() => expect(rule.hits).toBe(2));
  await vi.waitFor(() => expect(victims.filter(({ heard }) => heard() === "<x>")).toHaveLength(1));
  if (bystander !== undefined) await expectHeard(bystander, "<x>");

  const canceled = proxy.cutBefore(() => true, Infinity);
  canceled.cancel();
  bystander?.say("y");
  await vi.waitFor(() => expect(bystander?.heard()).toBe("<x><y>"));
});

test("its connection string differs from the server's in host and port alone", async () => {
  const { proxy } = await startWorld();
  const url = "postgres://me:p%40ss@db.example:6432/app?sslmode=disable";
  expect(proxy.url(url)).toBe(`postgres://me:p%40ss@127.0.0.1:${proxy.port}/app?sslmode=disable`);
});
