import assert from "node:assert/strict";
import type { JsonValue } from "@braid/core";
import type { Store } from "../port.ts";
import type { NewRun, NewRunRequest } from "../records.ts";
import { createRun, enqueued, newRun, putPlan, queuedRow } from "./fixtures.ts";
import type { StoreClaim } from "./fixtures.ts";
import { newId, RunDriver } from "./run-driver.ts";
import type { Change } from "./run-driver.ts";

function request(store: Store, fields: Partial<NewRun> = {}, change: Change = {}): NewRunRequest {
  const run = newRun(fields);
  return { run, commit: new RunDriver(store, run.id).next(change) };
}

/** What becomes of requests to create runs, several at a time. */
export const creationClaims: readonly StoreClaim[] = [
  {
    claim: "answers each run that is to be created on its own, in the order asked",
    check: async ({ store }) => {
      await putPlan(store);
      const first = request(store, { idempotencyKey: "order-1" });
      const requests = [
        first,
        request(store, { workflow: "unknown" }),
        request(store, { idempotencyKey: "order-1" }),
        request(store, {}, { enqueue: [enqueued(0)] }),
        request(store, {}, { steps: [queuedRow(0)], enqueue: [enqueued(0)] }),
        first,
      ];
      const { now, answers } = await store.createRuns(requests);
      assert.deepEqual(
        answers.map((answer) => (answer.kind === "rejected" ? { kind: "rejected" } : answer)),
        [
          { kind: "created", version: 1 },
          { kind: "rejected" },
          { kind: "exists", runId: first.run.id },
          { kind: "rejected" },
          { kind: "created", version: 1 },
          { kind: "created", version: 1 },
        ],
      );
      const kept = await Promise.all(requests.map(({ run }) => store.load(run.id)));
      assert.deepEqual(
        kept.map((run) => run?.createdAt),
        [now, undefined, undefined, undefined, now, now],
      );
    },
  },
  {
    claim: "creates no run of a workflow, or of a version of one, that it does not keep, and says which",
    check: async ({ store }) => {
      await putPlan(store);
      for (const fields of [{ workflow: "unknown" }, { workflowVersion: 7 }]) {
        const { run, commit } = request(store, fields);
        const answer = await createRun(store, run, commit);
        assert.ok(answer.kind === "rejected");
        assert.match(answer.message, new RegExp(`workflow \`${run.workflow}\` has no version ${run.workflowVersion}`));
        assert.equal(await store.load(run.id), null);
      }
    },
  },
  {
    claim: "creates no run whose data it could not give back",
    check: async ({ store }) => {
      await putPlan(store);
      const big = 1n as unknown as JsonValue;
      const requests = [
        request(store, { input: { big } }),
        request(store, { meta: { text: "a\0b" } }),
        request(store, { group: "a\ud800b" }),
        request(store, { idempotencyKey: "a\0b" }),
        { run: newRun(), commit: { ...new RunDriver(store, newId()).next(), run: null } },
      ];
      const { answers } = await store.createRuns(requests);
      assert.deepEqual(
        answers.map(({ kind }) => kind),
        requests.map(() => "rejected"),
      );
      assert.deepEqual(await store.listRuns({ limit: 10 }), []);
      assert.deepEqual((await store.createRuns([])).answers, []);
    },
  },
  {
    claim: "creates one run for an idempotency key that many ask for at once",
    check: async ({ store }) => {
      await putPlan(store);
      const requests = Array.from({ length: 6 }, () => request(store, { idempotencyKey: "order-7" }));
      const calls = [requests.slice(0, 2), requests.slice(2, 3), requests.slice(3)];
      const answers = (await Promise.all(calls.map((call) => store.createRuns(call)))).flatMap((call) => call.answers);
      const [run] = await store.listRuns({ limit: 10 });
      assert.equal(answers.filter(({ kind }) => kind === "created").length, 1);
      for (const answer of answers) assert.ok(answer.kind === "created" || answer.kind === "exists");
      const named = answers.flatMap((answer) => (answer.kind === "exists" ? [answer.runId] : []));
      assert.deepEqual(
        named,
        Array.from({ length: 5 }, () => run?.id),
      );
    },
  },
];
