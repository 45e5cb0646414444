import assert from "node:assert/strict";
import { RunRow, StepRow } from "@braid/core";
import type { JsonValue } from "@braid/core";
import type { RunCommit, Store } from "../port.ts";
import {
  claimAs,
  enqueued,
  newId,
  newRun,
  putPlan,
  queuedRow,
  queueSteps,
  RunDriver,
  startRun,
  stepRow,
} from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";

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
    rateTat: 1_763_657_000_007.333_333,
    stop: "outside_soft",
    stopCause: "run_timeout",
    remaining: 5,
    countedFailures: 6,
    toleratedFailures: 7,
    lostLeft: 8,
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

async function answerOf(store: Store, commit: RunCommit): Promise<string> {
  const { answers } = await store.commit([commit]);
  return answers[0]!.kind;
}

export const commitClaims: readonly StoreClaim[] = [
  {
    claim: "gives back every field of a run row as it was committed",
    async check({ store }) {
      const run = await startRun(store);
      const row = unusualRunRow();
      await run.commit({ run: row });
      assert.deepEqual((await store.load(run.id))?.run, row);
    },
  },
  {
    claim: "gives back every field of a step row as it was committed, in order of step and task",
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
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
    async check({ store }) {
      assert.equal(await store.load(newId()), null);
      assert.equal(await store.loadNewer(newId(), 3), null);
    },
  },
  {
    claim: "creates one run for an idempotency key and answers its id to all others",
    async check({ store }) {
      const first = await startRun(store, { run: { idempotencyKey: "order-7" } });
      const again = newRun({ idempotencyKey: "order-7" });
      const answer = await store.createRun(again, new RunDriver(store, again.id).next());
      assert.deepEqual(answer, { kind: "exists", now: answer.now, runId: first.id });
      assert.equal(await store.load(again.id), null);
      await startRun(store, { run: { idempotencyKey: "order-8" } });
    },
  },
  {
    claim: "answers a repeated creation as the first one and changes nothing",
    async check({ store }) {
      await putPlan(store);
      const record = newRun({ idempotencyKey: "order-9" });
      const run = new RunDriver(store, record.id);
      const commit = run.next({ steps: [stepRow(0)], trace: [{}] });
      const first = await store.createRun(record, commit);
      run.version = 1;
      Object.assign(run.row, commit.run);
      await run.commit({ steps: [stepRow(0, { status: "running" })] });
      const second = await store.createRun(record, commit);
      assert.equal(second.kind, "created");
      assert.deepEqual({ ...second, now: 0 }, { ...first, now: 0 });
      assert.equal((await store.load(record.id))?.steps[0]?.status, "running");
    },
  },
  {
    claim: "refuses to create a run of a workflow that it does not keep",
    async check({ store }) {
      const record = newRun({ workflow: "unknown" });
      await assert.rejects(store.createRun(record, new RunDriver(store, record.id).next()), {
        code: "store_not_storable",
      });
      assert.equal(await store.load(record.id), null);
    },
  },
  {
    claim: "accepts a commit whose version matches and raises the version by one",
    async check({ store }) {
      const run = await startRun(store);
      assert.deepEqual(await run.commit(), { kind: "accepted", version: 2, cancels: [] });
      assert.deepEqual(await run.commit(), { kind: "accepted", version: 3, cancels: [] });
      assert.equal((await store.load(run.id))?.version, 3);
    },
  },
  {
    claim: "refuses a commit computed from another version and writes nothing of it",
    async check({ store }) {
      const run = await startRun(store, { change: { steps: [stepRow(0)] } });
      const late = run.next({ steps: [stepRow(0, { status: "failed" }), stepRow(1)], trace: [{}] });
      await run.commit({ steps: [stepRow(0, { status: "running" })] });
      assert.equal(await answerOf(store, late), "conflict");
      assert.equal(await answerOf(store, { ...run.next({ steps: [stepRow(9)] }), expectedVersion: 9 }), "conflict");
      const loaded = await store.load(run.id);
      assert.deepEqual(loaded?.steps, [stepRow(0, { status: "running" })]);
      assert.equal(loaded?.version, 2);
      assert.deepEqual(await store.readTrace(run.id, 0, 10), []);
    },
  },
  {
    claim: "refuses a commit of a run that does not exist",
    async check({ store }) {
      await putPlan(store);
      assert.equal(await answerOf(store, new RunDriver(store, newId()).next()), "conflict");
    },
  },
  {
    claim: "answers each run of a call on its own, in the order asked",
    async check({ store }) {
      const runs = await Promise.all([startRun(store), startRun(store), startRun(store), startRun(store)]);
      const [first, second, third, fourth] = runs as [RunDriver, RunDriver, RunDriver, RunDriver];
      const { answers } = await store.commit([
        first.next({ steps: [stepRow(0)] }),
        { ...second.next({ steps: [stepRow(0)] }), expectedVersion: 7 },
        third.next({ steps: [stepRow(0)], enqueue: [enqueued(5)] }),
        fourth.next({ steps: [stepRow(0)] }),
      ]);
      assert.deepEqual(
        answers.map(({ kind }) => kind),
        ["accepted", "conflict", "rejected", "accepted"],
      );
      const counts = await Promise.all(runs.map(async ({ id }) => (await store.load(id))?.steps.length));
      assert.deepEqual(counts, [1, 0, 0, 1]);
    },
  },
  {
    claim: "gives the first answer to a repeated commit and changes nothing",
    async check({ store }) {
      const run = await queueSteps(store, 2);
      const cancels = [{ step: 0, task: -1, attempt: 1, cause: "run_canceled", ifQueued: false } as const];
      const commit = run.next({ cancels, steps: [stepRow(2)], trace: [{}] });
      const first = await run.send(commit);
      assert.ok(first.kind === "accepted");
      const [again] = (await store.commit([commit])).answers;
      assert.deepEqual(again, { ...first, kind: "repeat" });
      const loaded = await store.load(run.id);
      assert.equal(loaded?.version, 2);
      assert.equal((await store.readTrace(run.id, 0, 10)).length, 1);
    },
  },
  {
    claim: "recognizes a repeated commit even after a sweep has raised the version",
    async check({ store, advance }) {
      const run = await queueSteps(store, 2);
      await claimAs(store, "w1", { queues: [{ queue: "default", limit: 1 }] });
      const commit = run.next({ steps: [stepRow(2)] });
      const first = await run.send(commit);
      await advance(20_000);
      assert.equal((await store.sweep({ limit: 10 })).lost.length, 1);
      const [again] = (await store.commit([commit])).answers;
      assert.deepEqual(again, { ...first, kind: "repeat" });
    },
  },
  {
    claim: "loads only what is newer than a version, and the run's own row always",
    async check({ store }) {
      const run = await startRun(store, { change: { steps: [stepRow(0), stepRow(1)] } });
      await run.commit({ steps: [stepRow(1, { status: "ready" })] });
      await run.commit({ steps: [stepRow(2)] });
      const after = async (version: number) => (await store.loadNewer(run.id, version))?.steps.map(({ step }) => step);
      assert.deepEqual(await after(1), [1, 2]);
      assert.deepEqual(await after(2), [2]);
      assert.deepEqual(await after(3), []);
      assert.equal((await store.loadNewer(run.id, 3))?.version, 3);
    },
  },
  {
    claim: "leaves the run's row as it is when a commit brings none",
    async check({ store }) {
      const run = await startRun(store);
      await run.commit({ run: unusualRunRow() });
      const before = (await store.load(run.id))?.run;
      assert.equal(await answerOf(store, { ...run.next({ steps: [stepRow(0)] }), run: null }), "accepted");
      const loaded = await store.load(run.id);
      assert.deepEqual(loaded?.run, before);
      assert.equal(loaded?.version, 3);
    },
  },
  {
    claim: "keeps the trace of a run without gaps, across commits, and reads it from any number on",
    async check({ store }) {
      const data = { reason: "condition", dependencies: [{ step: "a" }] };
      const run = await startRun(store, { change: { trace: [{ type: "run.queued", step: -1, attempt: 0 }] } });
      await run.commit();
      await run.commit({
        trace: [{ at: 2_000 }, { at: 2_005, type: "step.skipped", data }, { at: 2_005, task: 3, attempt: 4 }],
      });
      await run.commit({ trace: [{ at: 3_000 }] });
      const all = await store.readTrace(run.id, 0, 100);
      assert.deepEqual(
        all.map(({ seq }) => seq),
        [1, 2, 3, 4, 5],
      );
      assert.deepEqual(all[2], { seq: 3, at: 2_005, type: "step.skipped", step: 0, task: 0, attempt: 1, data });
      assert.deepEqual(all[3], { seq: 4, at: 2_005, type: "task.started", step: 0, task: 3, attempt: 4, data: null });
      assert.deepEqual(await store.readTrace(run.id, 2, 2), all.slice(2, 4));
      assert.deepEqual(await store.readTrace(run.id, 4, 100), all.slice(4));
      assert.deepEqual(await store.readTrace(run.id, 5, 100), []);
      assert.deepEqual(await store.readTrace(newId(), 0, 100), []);
    },
  },
  {
    claim: "rejects a trace that does not continue the run's, and writes nothing of the commit",
    async check({ store }) {
      const run = await startRun(store, { change: { trace: [{}, {}] } });
      const commit = run.next({ steps: [stepRow(0)], trace: [{}] });
      const gap = { ...commit, trace: commit.trace.map((event) => Object.assign({}, event, { seq: event.seq + 1 })) };
      assert.equal(await answerOf(store, gap), "rejected");
      const twice = { ...commit, trace: commit.trace.map((event) => Object.assign({}, event, { seq: event.seq - 1 })) };
      assert.equal(await answerOf(store, twice), "rejected");
      assert.deepEqual((await store.load(run.id))?.steps, []);
      assert.equal(await answerOf(store, commit), "accepted");
    },
  },
  ...(
    [
      ["a value that has no JSON form", 1n as unknown as JsonValue],
      ["a NUL character", "a\0b"],
      ["half of a surrogate pair", "a\ud800b"],
    ] as const
  ).map(([what, value]): StoreClaim => ({
    claim: `rejects ${what} and goes on with the run`,
    async check({ store }) {
      const run = await startRun(store, { change: { steps: [stepRow(0)] } });
      const answer = await run.send(run.next({ payloads: [{ step: 0, task: -1, output: { value } }] }));
      assert.equal(answer.kind, "rejected");
      assert.ok(answer.kind === "rejected" && answer.message.length > 0);
      await run.commit({ payloads: [{ step: 0, task: -1, output: { value: "\\u0000 is text" } }] });
    },
  })),
  {
    claim: "rejects a row whose value its column cannot hold",
    async check({ store }) {
      const run = await startRun(store);
      const rows = [
        stepRow(0, { timerAt: 1.5, timer: "sleep" }),
        stepRow(0, { attempt: Number.NaN }),
        stepRow(0, { signal: "a\0b" }),
        stepRow(0, { isCut: 1 as unknown as boolean }),
      ];
      for (const row of rows) assert.equal(await answerOf(store, run.next({ steps: [row] })), "rejected");
      assert.deepEqual((await store.load(run.id))?.steps, []);
    },
  },
  {
    claim: "rejects a queued task or a payload without a row",
    async check({ store }) {
      const run = await startRun(store);
      assert.equal(await answerOf(store, run.next({ enqueue: [enqueued(0)] })), "rejected");
      const payloads = [{ step: 0, task: -1, output: 1 }];
      assert.equal(await answerOf(store, run.next({ payloads })), "rejected");
      assert.equal(
        await answerOf(store, run.next({ steps: [queuedRow(0)], enqueue: [enqueued(0)], payloads })),
        "accepted",
      );
    },
  },
];
