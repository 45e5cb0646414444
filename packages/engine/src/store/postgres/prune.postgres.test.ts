import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { appendLogs } from "./journal.ts";
import { putSignal } from "./due.ts";
import type { Link } from "./link.ts";
import { migrate } from "./migrate.ts";
import { prune } from "./prune.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { insert, insertEnded, insertRun, insertStep, putScratchPlan } from "./scratch-rows.ts";

const tablesOfRuns = ["run_payloads", "steps", "step_items", "trace_events", "limit_slots", "logs", "signals"];

const childOf = (parent: string) => ({ parent_run_id: parent, parent_step: 0, parent_task: -1, parent_attempt: 1 });

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

  test("prunes by age and by number, of one workflow or of all", async () => {
    const now = Date.now();
    const old = await insertEnded(scratch, now - 3_600_000);
    const running = await insertRun(scratch);
    const recent = await insertEnded(scratch, now - 1_000);
    const newest = await insertEnded(scratch, now - 500);
    const asked = (policy: Parameters<typeof prune>[2]) => prune(link, names, { dryRun: true, ...policy });
    expect(await asked({})).toEqual([]);
    expect(await asked({ olderThanMs: 60_000.7 })).toEqual([old]);
    expect(await asked({ olderThanMs: Infinity })).toEqual([]);
    expect(await asked({ keep: 4 })).toEqual([]);
    expect(await asked({ keep: 3 })).toEqual([old]);
    expect(await asked({ keep: 2 })).toEqual([old]);
    expect(await asked({ keep: 1 })).toEqual([old, recent]);
    expect(await asked({ keep: 0 })).toEqual([old, recent, newest]);
    expect(await asked({ keep: 0, workflow: "unknown" })).toEqual([]);
    expect(await asked({ keep: 1, workflow: "release", olderThanMs: 60_000 })).toEqual([old, recent]);
    expect(await prune(link, names, { keep: 1 })).toEqual([old, recent]);
    const left = await scratch.query("select id from runs order by id");
    expect(left.flat()).toEqual([running, newest]);
  });

  test("prunes a family with every row of it, and no parent whose child has not ended", async () => {
    const root = await insertEnded(scratch, 2_000);
    const child = await insertEnded(scratch, 2_000, childOf(root));
    const grandchild = await insertEnded(scratch, 2_000, childOf(child));
    const busy = await insertEnded(scratch, 2_000);
    const orphan = await insertRun(scratch, { own: childOf(busy) });
    for (const run of [root, child, grandchild, busy, orphan]) {
      await insertStep(scratch, run, { step: 0 });
      await insert(scratch, "step_items", { run_id: run, step_index: 0, task_index: -1, items: "[]" });
      await insert(scratch, "limit_slots", { run_id: run, step_index: 0, task_index: -1, name: "l" });
      await insert(scratch, "trace_events", {
        run_id: run,
        first_seq: 1,
        last_seq: 1,
        at: 1,
        commit_id: "c",
        events: "[]",
      });
      await putSignal(link, names, { runId: run, id: "s1", name: "go", verdict: "signal", payload: null });
    }
    const lines = [root, child, grandchild, busy, orphan].map((runId) => {
      return { runId, step: 0, task: -1, attempt: 1, at: 1, stream: "log", text: "line" } as const;
    });
    await appendLogs(link, names, lines);
    expect(await prune(link, names, { keep: 0 })).toEqual([root, child, grandchild]);
    expect((await scratch.query("select id from runs order by id")).flat()).toEqual([busy, orphan]);
    for (const table of tablesOfRuns) {
      expect((await scratch.query(`select run_id from ${table} order by run_id`)).flat(), table).toEqual([
        busy,
        orphan,
      ]);
    }
    // A table of runs that is not listed here would keep its rows.
    const withRuns = await scratch.query(
      "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = 'braid'::regnamespace and c.relkind = 'r' and a.attname = 'run_id'",
    );
    expect(new Set(withRuns.flat())).toEqual(new Set(tablesOfRuns));
  });

  test("leaves a run alone that runs again when its turn comes", async () => {
    const run = await insertEnded(scratch, 2_000);
    const other = scratch.open();
    let pruning: Promise<readonly string[]> = Promise.resolve([]);
    await other.transaction(async (transaction) => {
      await transaction.run(`update ${names.table("runs")} set status = 'running', finished_at = null`);
      pruning = prune(link, names, { keep: 0 });
      await waitForLock();
      await transaction.run(`update ${names.table("runs")} set version = version + 1`);
    });
    expect(await pruning).toEqual([]);
    expect((await scratch.query("select id from runs")).flat()).toEqual([run]);
  });

  test("leaves a run alone that has ended once more when its turn comes", async () => {
    const run = await insertEnded(scratch, 2_000);
    let pruning: Promise<readonly string[]> = Promise.resolve([]);
    await scratch.open().transaction(async (transaction) => {
      await transaction.run(`update ${names.table("runs")} set finished_at = ${names.now}`);
      pruning = prune(link, names, { olderThanMs: 60_000 });
      await waitForLock();
    });
    expect(await pruning).toEqual([]);
    expect((await scratch.query("select id from runs")).flat()).toEqual([run]);
  });

  test("deletes what a run wrote that ran again and ended while prune waited for it", async () => {
    const run = await insertEnded(scratch, 2_000);
    const other = scratch.open();
    let pruning: Promise<readonly string[]> = Promise.resolve([]);
    await other.transaction(async (transaction) => {
      await transaction.run(`update ${names.table("runs")} set version = version + 1`);
      pruning = prune(link, names, { keep: 0 });
      await waitForLock();
      await transaction.run(`insert into ${names.table("trace_events")} select 1, 1, 1, '${run}', 'c', '[]'`);
    });
    expect(await pruning).toEqual([run]);
    expect(await scratch.query("select * from trace_events")).toEqual([]);
  });

  async function waitForLock(): Promise<void> {
    const text = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while ((await scratch.query(text)).length === 0);
  }

  test("deletes each run once when several prune at once, also families whose ids are mixed", async () => {
    const runs: string[] = [];
    for (let index = 0; index < 12; index += 1) runs.push(await insertEnded(scratch, 2_000));
    for (let index = 0; index < 12; index += 1)
      runs.push(await insertEnded(scratch, 2_000, childOf(runs[11 - index]!)));
    const links = Array.from({ length: 4 }, () => scratch.open());
    const pruned = (await Promise.all(links.map((each) => prune(each, names, { keep: 0 })))).flat();
    expect(pruned.toSorted()).toEqual(runs);
    expect(await scratch.query("select * from runs")).toEqual([]);
  });

  test("goes through a large store page by page", async () => {
    await insertRun(scratch);
    await scratch.query(`
insert into runs select (jsonb_populate_record(r, jsonb_build_object(
  'id', lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000',
  'status', case when n % 2500 = 0 then 'completed' else 'running' end,
  'finished_at', case when n % 2500 = 0 then 2000 end
))).* from runs r, generate_series(1, 7500) n`);
    const pruned = await prune(link, names, { olderThanMs: 1 });
    expect(pruned.map((id) => Number.parseInt(id.slice(0, 8), 16))).toEqual([2_500, 5_000, 7_500]);
  });
});
