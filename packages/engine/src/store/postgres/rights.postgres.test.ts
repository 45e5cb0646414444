import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { dueRuns, listSignals, putSignal } from "./due.ts";
import { grants } from "./grants.ts";
import { appendLogs, readLogs, readTrace } from "./journal.ts";
import type { Link } from "./link.ts";
import { migrate, migrationState } from "./migrate.ts";
import { migrations, newestSchema } from "./migrations/all.ts";
import { prune } from "./prune.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { insertEnded, insertRun, scratchPlan } from "./scratch-rows.ts";
import { listWorkers, putWorker, removeWorker } from "./workers.ts";
import { durations, getRanks, getWorkflow, putRanks, putWorkflow } from "./workflows.ts";

const beyondRights = [
  "create table braid.mine ()",
  "drop table braid.logs",
  "truncate braid.logs",
  "alter table braid.runs add column mine integer",
  "create index mine on braid.runs (status)",
  "delete from braid.workflows",
  "update braid.workflows set plan = '{}'",
  "update braid.trace_events set events = '[]'",
  "update braid.schema_version set version = 1",
  "create schema mine",
];

describeEachServer((server) => {
  // A pooler may give all its clients the rights of one user.
  const scratch = new ScratchLinks({ url: server.directUrl });
  const { names } = scratch;
  let link: Link;
  beforeEach(async () => {
    await scratch.next();
    await scratch.query(`create role ${scratch.database} login password 'secret'`);
    link = scratch.open(scratch.database);
  });
  afterEach(async () => {
    await scratch.query(`drop owned by ${scratch.database}`);
    await scratch.query(`drop role ${scratch.database}`);
  });
  afterAll(() => scratch.remove());

  async function grant(): Promise<void> {
    await migrate(scratch.open(), names, { apply: true });
    await scratch.open().transaction((transaction) => transaction.run(grants(names, scratch.database)));
  }

  test("a role with the rights that are documented works on a store of another", async () => {
    await grant();
    expect((await migrate(link, names, { apply: true })).applied).toEqual([]);
    expect((await migrationState(link, names)).version).toBe(newestSchema);
    await putWorkflow(link, names, scratchPlan);
    expect((await getWorkflow(link, names, { name: "release" }))?.version).toBe(1);
    const run = await insertRun(scratch);
    await putSignal(link, names, { id: "s1", runId: run, name: "go", verdict: "signal", payload: 1 });
    expect((await dueRuns(link, names, 10)).runIds).toEqual([run]);
    expect(await listSignals(link, names, run)).toHaveLength(1);
    await appendLogs(link, names, [{ runId: run, step: 0, task: -1, attempt: 1, at: 1, stream: "log", text: "line" }]);
    expect(await readLogs(link, names, { runId: run })).toHaveLength(1);
    expect(await readTrace(link, names, { runId: run, after: 0, limit: 10 })).toEqual([]);
    const worker = { id: "w1", host: "h", pid: 7, startedAt: 1, name: "n", queues: [], resources: {} };
    await putWorker(link, names, worker);
    expect(await listWorkers(link, names)).toHaveLength(1);
    await removeWorker(link, names, "w1");
    await putRanks(link, names, { id: "r1", ranks: [1] });
    expect(await getRanks(link, names, "r1")).toEqual([1]);
    expect(await durations(link, names, "release")).toEqual({});
    const ended = await insertEnded(scratch, 2_000);
    expect(await prune(link, names, { keep: 0, dryRun: true })).toEqual([ended]);
    expect(await prune(link, names, { keep: 0 })).toEqual([ended]);
    for (const view of ["v_runs", "v_step_states", "v_step_tasks", "v_step_dependencies"]) {
      const rows = await link.rows({ name: view, text: `select run_id from ${names.table(view)}` });
      expect(new Set(rows.flat()), view).toEqual(new Set([run]));
    }
  });

  test("that role cannot do more", async () => {
    await grant();
    for (const text of beyondRights) {
      const refused = { code: "store_denied", details: { code: "42501" } };
      await expect(link.rows({ name: "", text }), text).rejects.toMatchObject(refused);
    }
  });

  test("a user without rights to make the store is told who has to do what", async () => {
    const refused = {
      code: "store_outdated",
      message: expect.stringContaining("Run `braid migrate` as a user who may create tables there.") as string,
    };
    await expect(migrate(link, names, { apply: true })).rejects.toMatchObject(refused);
    await scratch.query("create schema braid");
    await expect(migrate(link, names, { apply: true })).rejects.toMatchObject(refused);
    await migrate(scratch.open(), names, { apply: true });
    await expect(putWorkflow(link, names, scratchPlan)).rejects.toMatchObject({ code: "store_denied" });
  });

  test("a worker without rights to migrate works on the older schema if it can, and says what is missing", async () => {
    await grant();
    const more = { title: "more", oldestBuild: 1, sql: () => "alter table braid.ranks add column more integer" };
    const support = { migrations: [...migrations, more], oldestSchema: newestSchema };
    const done = await migrate(link, names, { apply: true, support });
    expect(done).toMatchObject({ version: newestSchema, applied: [], held: { code: "store_outdated" } });
    const needy = { ...support, oldestSchema: newestSchema + 1 };
    await expect(migrate(link, names, { apply: true, support: needy })).rejects.toMatchObject({
      code: "store_outdated",
    });
  });
});
