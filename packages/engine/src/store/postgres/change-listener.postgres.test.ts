import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "@braid/testbed";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ChangeHint } from "../port.ts";
import { ChangeListener } from "./change-listener.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { readPostgresUrl } from "./url.ts";

const channel = "braid.test";

async function eventually(what: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (await what()) return;
    await sleep(10);
  }
  throw new Error("it did not come about");
}

describeEachServer((server) => {
  const scratch = new ScratchLinks({ url: server.directUrl });
  let proxy: TcpProxy;
  const listeners: ChangeListener[] = [];
  const heard: ChangeHint[] = [];
  beforeAll(() => scratch.next());
  afterEach(async () => {
    for (const listener of listeners.splice(0)) listener.close();
    heard.length = 0;
    await proxy.close();
  });
  afterAll(() => scratch.remove());

  async function open(): Promise<ChangeListener> {
    proxy = await TcpProxy.start(scratch.url);
    const { address } = readPostgresUrl(proxy.url(scratch.url));
    const listener = new ChangeListener({ address, channel, self: "me" });
    listeners.push(listener);
    return listener;
  }

  const notify = (from: string, parts: object = {}): Promise<unknown> =>
    scratch.query("select pg_notify($1, $2)", [channel, JSON.stringify({ from, ...parts })]);

  const listening = async (): Promise<number> => {
    const rows = await scratch.query(
      `select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %' and state = 'idle'`,
    );
    return rows[0]![0] as number;
  };

  test("hears what others say and not what its own process says", async () => {
    const listener = await open();
    listener.add((hint) => heard.push(hint));
    await eventually(() => listener.isHearing);
    heard.length = 0;
    await notify("me", { s: 1 });
    await notify("other", { q: ["a"], r: null });
    await eventually(() => heard.length > 0);
    expect(heard).toEqual([{ queues: ["a"], runIds: null }]);
  });

  test("comes back after its connection was cut, and says that anything may have changed meanwhile", async () => {
    const listener = await open();
    listener.add((hint) => heard.push(hint));
    await eventually(() => listener.isHearing);
    heard.length = 0;
    proxy.cut();
    await eventually(() => !listener.isHearing);
    await eventually(() => listener.isHearing);
    expect(heard).toEqual([{}]);
    await notify("other", { s: 1 });
    await eventually(() => heard.length > 1);
    expect(heard.at(-1)).toEqual({ isStopAsked: true });
  });

  test("comes back after the server could not be reached for a while", async () => {
    const listener = await open();
    const { port } = proxy;
    listener.add((hint) => heard.push(hint));
    await eventually(() => listener.isHearing);
    const rule = proxy.cutBefore(() => true, 5);
    proxy.cut();
    await eventually(() => rule.hits >= 3);
    rule.cancel();
    await eventually(() => listener.isHearing);
    expect(proxy.port).toBe(port);
  });

  test("goes on trying where nobody listens, and takes nothing down with it", async () => {
    const listener = await open();
    await proxy.close();
    proxy = await TcpProxy.start(scratch.url);
    listener.add((hint) => heard.push(hint));
    await sleep(300);
    expect(listener.isHearing).toBe(false);
  });

  test("holds one connection, however often somebody stops listening and begins again", async () => {
    const listener = await open();
    for (let round = 0; round < 5; round += 1) {
      listener.add(() => {})();
      await sleep(1);
    }
    listener.add((hint) => heard.push(hint));
    await eventually(() => listener.isHearing);
    await sleep(100);
    expect(await listening()).toBe(1);
    expect(proxy.counters.openConnections).toBe(1);
    listener.close();
    await eventually(async () => (await listening()) === 0);
  });
});
