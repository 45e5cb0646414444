import assert from "node:assert/strict";
import type { JsonValue, RunRow } from "@braid/core";
import { answerOf, claimAs, enqueued, putPlan, queuedRow, queueSteps, startRun, stepRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { newId, RunDriver } from "./run-driver.ts";

/** Which commits are accepted, and what is left of those that are not. */
export const commitClaims: readonly StoreClaim[] = [
  {
    claim: "accepts a commit whose version matches and raises the version by one",
    check: async ({ store }) => {
      const run = await startRun(store);
      assert.deepEqual(await run.commit(), { kind: "accepted", version: 2, cancels: [] });
      assert.deepEqual(await run.commit(), { kind: "accepted", version: 3, cancels: [] });
      assert.equal((await store.load(run.id))?.version, 3);
    },
  },
  {
    claim: "refuses a commit computed from another version and writes nothing of it",
    check: async ({ store }) => {
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
    claim: "takes a commit made on top of one without an answer only if that one is the latest, whatever the version",
    check: async ({ store }) => {
      const run = await startRun(store);
      const first = run.next({ steps: [stepRow(0)] });
      const stacked = { ...run.next({ steps: [stepRow(1)] }), expectedVersion: 2, follows: first.commitId };
      // Somebody else came first: the version is the one expected, the commit before it is not.
      await store.commit([run.next({ steps: [stepRow(2)] })]);
      assert.equal(await answerOf(store, stacked), "conflict");
      const other = await startRun(store);
      const below = other.next({ steps: [stepRow(0)] });
      const above = { ...other.next({ steps: [stepRow(1)] }), expectedVersion: 2, follows: below.commitId };
      assert.equal(await answerOf(store, above), "conflict");
      assert.equal(await answerOf(store, below), "accepted");
      assert.equal(await answerOf(store, above), "accepted");
      assert.equal((await store.load(other.id))?.version, 3);
    },
  },
  {
    claim: "refuses a commit of a run that does not exist",
    check: async ({ store }) => {
      await putPlan(store);
      assert.equal(await answerOf(store, new RunDriver(store, newId()).next()), "conflict");
    },
  },
  {
    claim: "answers each run of a call on its own, in the order asked",
    check: async ({ store }) => {
      const runs = await Promise.all([startRun(store), startRun(store), startRun(store), startRun(store)]);
      const [first, second, third, fourth] = runs;
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
    check: async ({ store }) => {
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
    check: async ({ store, advance }) => {
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
    check: async ({ store }) => {
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
    check: async ({ store }) => {
      const run = await startRun(store);
      await run.commit({ run: { remaining: 5, ranksId: "ranks-1" } as RunRow });
      const before = (await store.load(run.id))?.run;
      assert.equal(await answerOf(store, { ...run.next({ steps: [stepRow(0)] }), run: null }), "accepted");
      const loaded = await store.load(run.id);
      assert.deepEqual(loaded?.run, before);
      assert.equal(loaded?.version, 3);
    },
  },
  {
    claim: "keeps the trace of a run without gaps, across commits, and reads it from any number on",
    check: async ({ store }) => {
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
    check: async ({ store }) => {
      const run = await startRun(store, { change: { trace: [{}, {}] } });
      const commit = run.next({ steps: [stepRow(0)], trace: [{}] });
      const gap = { ...commit, trace: commit.trace.map((event) => Object.assign({}, event, { seq: event.seq + 1 })) };
      assert.equal(await answerOf(store, gap), "rejected");
      const twice = { ...commit, trace: commit.trace.map((event) => Object.assign({}, event, { seq: event.seq - 1 })) };
      assert.equal(await answerOf(store, twice), "rejected");
      assert.equal(await answerOf(store, { ...commit, trace: [] }), "rejected");
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
    check: async ({ store }) => {
      const run = await startRun(store, { change: { steps: [stepRow(0)] } });
      const answer = await run.send(run.next({ payloads: [{ step: 0, task: -1, output: { value } }] }));
      assert.equal(answer.kind, "rejected");
      assert.ok(answer.kind === "rejected" && answer.message.length > 0);
      await run.commit({ payloads: [{ step: 0, task: -1, output: { value: "\\u0000 is text" } }] });
    },
  })),
  {
    claim: "rejects a row whose value its column cannot hold",
    check: async ({ store }) => {
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
    check: async ({ store }) => {
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
