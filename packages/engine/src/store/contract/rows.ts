import assert from "node:assert/strict";
import { RunRow, StepRow } from "@braid/core";
import { createRun, newRun, putPlan, startRun, stepRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { newId, RunDriver } from "./run-driver.ts";

/** Every field of a run row away from its default, so that a column that is lost or mixed up is seen. */
function unusualRunRow(): RunRow {
  return Object.assign(new RunRow(), {
    status: "paused",
    phase: "finally",
    epoch: 3,
    settleSeq: 17,
    lastAt: 1_763_657_000_123,
    queuedAt: 1_763_657_000_001,
    startedAt: 1_763_657_000_002,
    pausedAt: 1_763_657_000_004,
    cancelCount: 1,
    wakeAt: 1_763_657_000_005,
    timeoutAt: 1_763_657_000_006,
    rateAt: 1_763_657_000_007,
    rateTat: 1_763_657_000_007.5,
    stop: "outside_soft",
    stopCause: "run_timeout",
    remaining: 5,
    countedFailures: 6,
    toleratedFailures: 7,
    completedSteps: 9,
    failedSteps: 10,
    skippedSteps: 11,
    canceledSteps: 12,
    maxConcurrent: 13,
    timeoutMs: 14,
    mode: "complete_running",
    ranksId: "ranks-1",
    error: { code: "exit_code", message: 'said "no" \\u0000 \\ ü 🙂', cause: { step: "a", code: "b", message: "c" } },
    failures: [{ step: "build", task: null, code: "exit_code", message: "line\nline" }],
  } satisfies Partial<RunRow>);
}

/** Likewise of a step row. */
function unusualStepRow(step: number, task: number): StepRow {
  return Object.assign(new StepRow(step, task), {
    status: "skipped",
    skipReason: "join_lost",
    stopCause: "deadline",
    error: { code: "timeout", message: "late" },
    satisfied: 1,
    dead: 2,
    neutral: 3,
    cut: 4,
    firedSeq: 5,
    settledSeq: 6,
    isEvaluating: true,
    triggeredBy: [0, 3],
    isCut: true,
    activePorts: ["left", "right"],
    failure: "tolerated",
    reachedEnd: true,
    attempt: 9,
    attemptsUsed: 8,
    lost: 7,
    resets: 10,
    timer: "retry",
    timerAt: 1_763_657_000_001,
    deadlineAt: 1_763_657_000_002,
    sleepMs: 11,
    timeoutMs: 12,
    deadlineMs: 13,
    signal: "approve/build",
    stop: "inside",
    remaining: 14,
    countedFailures: 15,
    rateAt: 1_763_657_000_003,
    rateTat: 1_763_657_000_003.25,
    items: 16,
    nextItem: 17,
    completedItems: 18,
    failedItems: 19,
    skippedItems: 20,
    canceledItems: 21,
    readyAt: 1_763_657_000_004,
    startedAt: 1_763_657_000_005,
    finishedAt: 1_763_657_000_006,
  } satisfies Partial<StepRow>);
}

/** What is written comes back, whole and unshared. */
export const rowClaims: readonly StoreClaim[] = [
  {
    claim: "gives back every field of a run row as it was committed",
    check: async ({ store }) => {
      const run = await startRun(store);
      const row = unusualRunRow();
      await run.commit({ run: row });
      assert.deepEqual((await store.load(run.id))?.run, row);
    },
  },
  {
    claim: "gives back every field of a step row as it was committed, in order of step and task",
    check: async ({ store }) => {
      const run = await startRun(store);
      const rows = [unusualStepRow(2, 10), unusualStepRow(2, 9), unusualStepRow(2, -1), stepRow(10), stepRow(1)];
      await run.commit({ steps: rows });
      const loaded = await store.load(run.id);
      assert.deepEqual(loaded?.steps, [rows[4], rows[2], rows[1], rows[0], rows[3]]);
      assert.ok(loaded?.steps.every((row) => row instanceof StepRow));
    },
  },
  {
    claim: "overwrites a row whole, also back to its defaults",
    check: async ({ store }) => {
      const run = await startRun(store, { change: { steps: [unusualStepRow(1, -1)] } });
      await run.commit({ run: unusualRunRow() });
      const plain = new RunRow();
      await run.send({ ...run.next({ steps: [stepRow(1)] }), run: plain });
      const loaded = await store.load(run.id);
      assert.deepEqual(loaded?.steps, [stepRow(1)]);
      assert.deepEqual(loaded?.run, plain);
    },
  },
  {
    claim: "shares no row with its callers",
    check: async ({ store }) => {
      const step = stepRow(0, { triggeredBy: [1] });
      const run = await startRun(store, { change: { steps: [step] } });
      step.status = "failed";
      const first = await store.load(run.id);
      first!.steps[0]!.status = "canceled";
      (first!.steps[0]!.triggeredBy as number[]).push(2);
      first!.run.status = "failed";
      const second = await store.load(run.id);
      assert.deepEqual(second?.steps, [stepRow(0, { triggeredBy: [1] })]);
      assert.equal(second?.run.status, "running");
    },
  },
  {
    claim: "gives back what a run was created with",
    check: async ({ store }) => {
      const parent = { runId: newId(), step: 1, task: 2, attempt: 3 };
      const meta = { directory: "/srv/flows", nested: [1, null] };
      const run = await startRun(store, { run: { priority: 7, parent, meta, input: { a: [1, { b: null }] } } });
      const loaded = await store.load(run.id);
      assert.equal(loaded?.id, run.id);
      assert.equal(loaded?.version, 1);
      assert.equal(loaded?.workflow, "release");
      assert.equal(loaded?.workflowVersion, 1);
      assert.equal(loaded?.priority, 7);
      assert.deepEqual(loaded?.parent, parent);
      assert.deepEqual(loaded?.meta, meta);
      assert.equal(loaded?.createdAt, loaded?.now);
      const [input] = await store.readPayloads([{ runId: run.id, kind: "input" }]);
      assert.deepEqual(input?.value, { a: [1, { b: null }] });
    },
  },
  {
    claim: "answers null for a run that does not exist",
    check: async ({ store }) => {
      assert.equal(await store.load(newId()), null);
      assert.equal(await store.loadNewer(newId(), 3), null);
    },
  },
  {
    claim: "creates one run for an idempotency key and answers its id to all others",
    check: async ({ store }) => {
      const first = await startRun(store, { run: { idempotencyKey: "order-7" } });
      const again = newRun({ idempotencyKey: "order-7" });
      const answer = await createRun(store, again, new RunDriver(store, again.id).next());
      assert.deepEqual(answer, { kind: "exists", runId: first.id });
      assert.equal(await store.load(again.id), null);
      await startRun(store, { run: { idempotencyKey: "order-8" } });
    },
  },
  {
    claim: "answers a repeated creation as the first one and changes nothing",
    check: async ({ store }) => {
      await putPlan(store);
      const record = newRun({ idempotencyKey: "order-9" });
      const run = new RunDriver(store, record.id);
      const commit = run.next({ steps: [stepRow(0)], trace: [{}] });
      const first = await createRun(store, record, commit);
      run.version = 1;
      Object.assign(run.row, commit.run);
      await run.commit({ steps: [stepRow(0, { status: "running" })] });
      assert.deepEqual(first, { kind: "created", version: 1 });
      assert.deepEqual(await createRun(store, record, commit), first);
      assert.equal((await store.load(record.id))?.steps[0]?.status, "running");
    },
  },
];
