import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { dueRuns, listSignals, putSignal } from "./due.ts";
import type { Link } from "./link.ts";
import { migrate } from "./migrate.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { insertEnded, insertRun, putScratchPlan } from "./scratch-rows.ts";

const signal = (runId: string, id: string, payload: string | null = null) =>
  ({ runId, id, name: "go", verdict: "signal", payload }) as const;

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const { names } = scratch;
  let link: Link;
  beforeEach(async () => {
    await scratch.next();
    link = scratch.open();
    await migrate(link, names, { apply: true });
    await putScratchPlan(scratch);
  });
  afterAll(() => scratch.remove());

  const dueAt = (at: number) => insertRun(scratch, { own: { due_at: at } });

  test("finds runs by time and by signal, longest due first", async () => {
    const { now } = await dueRuns(link, names, 10);
    const later = await dueAt(now + 60_000);
    const second = await dueAt(now - 10);
    const first = await dueAt(now - 20);
    const signaled = await insertRun(scratch);
    const both = await dueAt(now - 5);
    await putSignal(link, names, signal(signaled, "s1"));
    await putSignal(link, names, signal(both, "s1"));
    expect(await dueRuns(link, names, 2)).toMatchObject({ runIds: [first, second] });
    const { now: asked, ...due } = await dueRuns(link, names, 10);
    expect(due).toEqual({ runIds: [first, second, both, signaled], nextWakeAt: asked + 15_000 });
    await scratch.query("update runs set due_at = null where due_at < $1", [now]);
    const next = await dueRuns(link, names, 10);
    expect(next).toEqual({ now: next.now, runIds: [], nextWakeAt: asked + 15_000 });
    await scratch.query("update signals set used_at = 1, notice_at = null");
    expect((await dueRuns(link, names, 10)).nextWakeAt).toBe(now + 60_000);
    await scratch.query("update runs set due_at = null where id = $1::uuid", [later]);
    expect((await dueRuns(link, names, 10)).nextWakeAt).toBeNull();
  });

  test("says to look again at once when runs are left over", async () => {
    const runs = [await insertRun(scratch), await insertRun(scratch), await insertRun(scratch)];
    for (const run of runs) await putSignal(link, names, signal(run, "s1"));
    const first = await dueRuns(link, names, 2);
    expect(first).toEqual({ now: first.now, runIds: runs.slice(0, 2), nextWakeAt: first.now });
    const second = await dueRuns(link, names, 2);
    expect(second.runIds).toEqual(runs.slice(2));
    expect(second.nextWakeAt).toBe(first.now + 15_000);
  });

  test("puts off notices ever more, up to an hour", async () => {
    const run = await insertRun(scratch);
    await putSignal(link, names, signal(run, "s1"));
    const waits: number[] = [];
    for (let notice = 0; notice < 12; notice += 1) {
      const { now, runIds } = await dueRuns(link, names, 10);
      expect(runIds).toEqual([run]);
      const [[at]] = (await scratch.query(
        "update signals set notice_at = 1 returning (select notice_at from signals)",
      )) as [[number]];
      waits.push((at - now) / 1_000);
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
    await scratch.query("update signals set notices = 2000000000");
    expect((await dueRuns(link, names, 10)).runIds).toEqual([run]);
  });

  test("tells one of several that ask at the same instant of a signal, and nobody waits", async () => {
    const runs: string[] = [];
    for (let index = 0; index < 10; index += 1) runs.push(await insertRun(scratch));
    for (const run of runs) await putSignal(link, names, signal(run, "s1"));
    const links = Array.from({ length: 6 }, () => scratch.open());
    await Promise.all(links.map((each) => listSignals(each, names, runs[0]!)));
    const told = (await Promise.all(links.map((each) => dueRuns(each, names, 10)))).flatMap(({ runIds }) => runIds);
    expect(told.toSorted()).toEqual(runs.toSorted());
  });

  test("passes over a signal that another process holds", async () => {
    const run = await insertRun(scratch);
    await putSignal(link, names, signal(run, "s1"));
    const other = scratch.open();
    await other.transaction(async (transaction) => {
      await transaction.run(`update ${names.table("signals")} set used_at = 1, notice_at = null`);
      expect((await dueRuns(link, names, 10)).runIds).toEqual([]);
    });
    expect((await dueRuns(link, names, 10)).runIds).toEqual([]);
  });

  test("keeps a signal once when it is put by several at the same instant", async () => {
    const run = await insertRun(scratch);
    const links = Array.from({ length: 6 }, () => scratch.open());
    await Promise.all(links.map((each, index) => putSignal(each, names, signal(run, "s1", String(index)))));
    const signals = await listSignals(link, names, run);
    expect(signals).toHaveLength(1);
    expect(signals[0]).toMatchObject({ id: "s1", runId: run, verdict: "signal" });
  });

  test("does not tell of signals of a run that has ended, and refuses what cannot be kept", async () => {
    const run = await insertEnded(scratch, 2_000);
    await putSignal(link, names, signal(run, "s1"));
    expect(await dueRuns(link, names, 10)).toMatchObject({ runIds: [], nextWakeAt: null });
    const refused = { code: "store_not_storable" };
    await expect(putSignal(link, names, signal(run, "s2", "\0"))).rejects.toMatchObject(refused);
    await expect(putSignal(link, names, signal(run, "\ud800"))).rejects.toMatchObject(refused);
    const unknown = signal("01900000-0000-7000-8000-ffffffffffff", "s1");
    await expect(putSignal(link, names, unknown)).rejects.toMatchObject(refused);
    await expect(putSignal(link, names, signal("no-run", "s1"))).rejects.toMatchObject(refused);
    expect(await listSignals(link, names, "no-run")).toEqual([]);
  });

  test("asks the server once, and writes nothing, when nothing is due", async () => {
    await dueAt(4_000_000_000_000);
    const written = "select pg_current_xact_id_if_assigned() is null";
    const isUnchanged = await link.transaction(async (transaction) => {
      let asked = 0;
      const counting = { rows: (...query: Parameters<Link["rows"]>) => ((asked += 1), transaction.rows(...query)) };
      expect((await dueRuns(counting as Link, names, 10)).nextWakeAt).toBe(4_000_000_000_000);
      expect(asked).toBe(1);
      return (await transaction.rows({ name: "", text: written }))[0]?.[0];
    });
    expect(isUnchanged).toBe(true);
  });
});
