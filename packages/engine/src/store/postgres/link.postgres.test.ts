import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "@braid/testbed";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Link } from "./link.ts";
import type { Statement } from "./link.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { readPostgresUrl } from "./url.ts";

/** Says back what it was asked, after a while. */
const echo: Statement = { name: "echo", text: "select $1::text, pg_sleep($2::float8)::text" };

const quick: Statement = { name: "quick", text: "select $1::text" };

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  let proxy: TcpProxy;
  const links: Link[] = [];
  beforeAll(() => scratch.next());
  beforeEach(async () => {
    proxy = await TcpProxy.start(scratch.url);
  });
  afterEach(async () => {
    proxy.thaw();
    await Promise.all(links.splice(0).map((link) => link.close()));
    await proxy.close();
  });
  afterAll(() => scratch.remove());

  function open(url: string, deadlineMs = 10_000): Link {
    const { address, isPooled, display } = readPostgresUrl(url);
    const link = new Link({ address, isPooled, display, deadlineMs });
    links.push(link);
    return link;
  }

  test("answers come to the questions they belong to, however many are under way", async () => {
    const link = open(scratch.url);
    const asked = Array.from({ length: 50 }, (_, index) => `${index}`);
    const answers = await Promise.all(asked.map((text) => link.rows(quick, [text])));
    expect(answers.map(([row]) => row![0])).toEqual(asked);
  });

  test("a connection that breaks with statements under way never gives its answers to another", async () => {
    const other = open(scratch.url);
    for (let round = 0; round < 5; round += 1) {
      const breaking = open(proxy.url(scratch.url));
      await breaking.rows(quick, ["first"]);
      const lost = Array.from({ length: 6 }, (_, index) => breaking.rows(echo, [`lost ${index}`, 0.02]));
      void Promise.allSettled(lost);
      await sleep(30 + round * 5);
      proxy.cut();
      for (let index = 0; index < 15; index += 1) {
        const [row] = await other.rows(quick, [`${round}/${index}`]);
        expect(row).toEqual([`${round}/${index}`]);
        await sleep(5);
      }
      await Promise.allSettled(lost);
    }
  });

  test("a statement without an answer ends the connection, and the next has one of its own", async () => {
    const link = open(proxy.url(scratch.url), 300);
    await link.rows(quick, ["first"]);
    proxy.freeze();
    const asked = [link.rows(quick, ["second"]), link.rows(quick, ["third"])];
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: "store_unavailable" });
    proxy.thaw();
    await sleep(20);
    expect(await link.rows(quick, ["fourth"])).toEqual([["fourth"]]);
  });

  test("a statement that takes too long ends the connection, and keeps nobody behind it waiting", async () => {
    const link = open(scratch.url, 300);
    await link.rows(quick, ["first"]);
    await expect(link.rows(echo, ["slow", 3])).rejects.toMatchObject({ code: "store_unavailable" });
    await sleep(20);
    expect(await link.rows(quick, ["next"])).toEqual([["next"]]);
  });

  test("a transaction never waits for ever, and none that stands still holds its locks for ever", async () => {
    const names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"];
    const link = open(scratch.url);
    await link.rows(quick, ["first"]);
    await link.transaction(async (held) => {
      const text = `select ${names.map((name) => `current_setting('${name}')`).join(", ")}`;
      const [settings] = await held.rows({ name: "", text });
      for (const [index, name] of names.entries()) expect(settings![index], name).not.toBe("0");
    });
  });

  test("a transaction has the connection for itself, and lets it go however it ends", async () => {
    const link = open(scratch.url);
    const order: string[] = [];
    const transaction = link.transaction(async (held) => {
      await held.rows(echo, ["within", 0.05]);
      order.push("transaction");
    });
    await sleep(5);
    const after = link.rows(quick, ["after"]).then(() => order.push("after"));
    const failing = link.transaction(() => Promise.reject(new Error("no")));
    await Promise.all([transaction, after, expect(failing).rejects.toThrow("no")]);
    expect(order).toEqual(["transaction", "after"]);
    expect(await link.rows(quick, ["free"])).toEqual([["free"]]);
  });
});
