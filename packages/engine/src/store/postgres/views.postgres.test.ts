import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import { chainPlan } from "../contract/plan.ts";
import { migrate } from "./migrate.ts";
import { ScratchLinks } from "./scratch-links.ts";
import { insertRun, insertStep, putScratchPlan } from "./scratch-rows.ts";
import { putWorkflow } from "./workflows.ts";

const states =
  "select step, status, remaining_deps, remaining_tasks, initial_tasks, attempts from v_step_states order by step_index";
const tasks = "select step, task_index, status, attempts, claimed_by from v_step_tasks order by step_index, task_index";
const runs =
  "select run_id, status, total_steps, completed_steps, remaining_steps, extract(epoch from started_at)::text from v_runs";
const dependencies =
  'select step, depends_on, "on", port, origin, depends_on_status from v_step_dependencies order by depends_on';

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  beforeEach(async () => {
    await scratch.next();
    await migrate(scratch.open(), scratch.names, { apply: true });
    await putScratchPlan(scratch);
  });
  afterAll(() => scratch.remove());

  test("shows a run with steps that were never touched", async () => {
    const run = await insertRun(scratch, { run: { startedAt: 1_763_657_000_123 } });
    const queued = { dispatch: "queued", dispatch_attempt: 1, queue: "default", handler: "command", queued_at: 1_500 };
    await insertStep(scratch, run, {
      step: 0,
      row: { status: "queued", attempt: 1, attemptsUsed: 1 },
      own: { ...queued, priority: 0 },
    });
    expect(await scratch.query(states)).toEqual([
      ["a", "ready", 0, 1, 1, 1],
      ["b", "pending", 1, 1, 1, 0],
      ["c", "pending", 1, null, null, 0],
    ]);
    expect(await scratch.query(tasks)).toEqual([
      ["a", 0, "queued", 1, null],
      ["b", 0, "pending", 0, null],
    ]);
    expect(
      await scratch.query(
        "select queue, handler, extract(epoch from queued_at)::text from v_step_tasks order by step_index",
      ),
    ).toEqual([
      ["default", "command", "1.500000"],
      [null, null, null],
    ]);
    expect(await scratch.query(runs)).toEqual([[run, "running", 3, 0, 3, "1763657000.123000"]]);
    expect(await scratch.query(dependencies)).toEqual([
      ["b", "a", "success", null, "explicit", "ready"],
      ["c", "b", "success", null, "explicit", "pending"],
    ]);
  });

  test("shows the items of a map, outputs and reasons", async () => {
    const run = await insertRun(scratch, { run: { completedSteps: 2 } });
    const worker = { worker: "w1", output: "7" };
    await insertStep(scratch, run, { step: 0, row: { status: "completed", attempt: 1 }, own: worker });
    await insertStep(scratch, run, {
      step: 1,
      row: { status: "skipped", skipReason: "when", satisfied: 1, stopCause: "cut" } as never,
    });
    await insertStep(scratch, run, {
      step: 2,
      row: { status: "running", items: 5, remaining: 4, completedItems: 1, dead: 1 },
    });
    await insertStep(scratch, run, { step: 2, task: 0, row: { status: "completed", attempt: 2 } });
    await insertStep(scratch, run, { step: 2, task: 1, row: { status: "ready" } });
    expect(await scratch.query(states)).toEqual([
      ["a", "completed", 0, 0, 1, 1],
      ["b", "skipped", 0, 0, 1, 0],
      ["c", "running", 0, 4, 5, 0],
    ]);
    expect(
      await scratch.query("select step, output::text, skip_reason, cause from v_step_states order by step_index"),
    ).toEqual([
      ["a", "7", null, null],
      ["b", null, "when", null],
      ["c", null, null, null],
    ]);
    expect(await scratch.query(tasks)).toEqual([
      ["a", 0, "completed", 1, "w1"],
      ["b", 0, "skipped", 0, null],
      ["c", 0, "completed", 2, null],
      ["c", 1, "pending", 0, null],
    ]);
    expect((await scratch.query(runs))[0]?.slice(2, 5)).toEqual([3, 2, 1]);
  });

  test("leaves out hidden steps, and tasks of steps that own a scope", async () => {
    const plan = chainPlan("blocks", ["deploy", "one", "many"]);
    const steps = plan.steps.map((step, index) => {
      return index === 0 ? { ...step, kind: "block" } : index === 1 ? { ...step, hidden: true } : step;
    });
    await putWorkflow(scratch.open(), scratch.names, {
      name: "blocks",
      hash: "h",
      definition: {},
      plan: { ...plan, steps } as never,
    });
    await insertRun(scratch, { own: { workflow: "blocks" } });
    expect(await scratch.query(states)).toEqual([
      ["deploy", "pending", 0, null, null, 0],
      ["many", "pending", 1, null, null, 0],
    ]);
    expect(await scratch.query(tasks)).toEqual([]);
    expect((await scratch.query(runs))[0]?.[2]).toBe(2);
    expect((await scratch.query(dependencies)).map(([step, on]) => [step, on])).toEqual([
      ["one", "deploy"],
      ["many", "one"],
    ]);
  });

  test("reads one run by its indexes", async () => {
    for (const view of ["v_runs", "v_step_states", "v_step_tasks", "v_step_dependencies"]) {
      const text = `explain select * from ${view} where run_id = '01900000-0000-7000-8000-000000000000'`;
      const lines = await scratch.open().transaction(async (transaction) => {
        await transaction.run("set local search_path = braid; set local enable_seqscan = off");
        return transaction.rows({ name: "", text });
      });
      expect(lines.flat().join("\n"), view).not.toContain("Seq Scan");
    }
  });

  test("counts the steps of a workflow once for all its runs", async () => {
    await insertRun(scratch);
    await scratch.query(`
insert into runs select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).* from runs r, generate_series(1, 999)`);
    await scratch.query("insert into run_payloads select id, '{}', '{}' from runs on conflict do nothing");
    await scratch.query("analyze runs, run_payloads, workflows");
    const lines = await scratch.query("explain (analyze, costs off, timing off, summary off) select * from v_runs");
    expect(lines.flat().join("\n")).toMatch(/Function Scan on json_to_recordset s.* loops=1\)/);
  });
});
