import assert from "node:assert/strict";
import type { Store } from "../port.ts";
import type { RunCommit } from "../run-commit.ts";
import { claimOne, enqueued, queueSteps, startRun, stepRow } from "./fixtures.ts";
import type { StoreBench, StoreClaim } from "./fixtures.ts";
import { places } from "./limits.ts";
import { newId } from "./run-driver.ts";
import type { RunDriver } from "./run-driver.ts";

/**
 * Commits as runs of plain steps make them one after the other: a step ends, the next one begins, and it is known which row is new.
 * Stores have short ways for them, and other ways where several come in one call, so each claim is made for both.
 */

/** A run with a step that is leased under a token of its own. */
export interface Chain {
  readonly driver: RunDriver;
  readonly token: string;
}

const lease = (token: string) => ({ worker: "w1", token, forMs: 15_000 });

export async function startChain(store: Store): Promise<Chain> {
  const token = newId();
  const row = stepRow(0, { status: "running", attempt: 1, startedAt: 1_000 });
  const enqueue = [enqueued(0, { lease: lease(token) })];
  return { driver: await startRun(store, { change: { steps: [row], enqueue } }), token };
}

const outputOf = (step: number) => ({ step, text: 'a "quoted" \\ ü ✓' });

/** The end of a step, and the begin of the next one. */
export function nextOf({ driver, token }: Chain, step: number, nextToken = newId()): RunCommit {
  const ended = stepRow(step, { status: "completed", attempt: 1, attemptsUsed: 1, finishedAt: 2_000, settledSeq: 1 });
  const begun = stepRow(step + 1, { status: "running", attempt: 1, triggeredBy: [step], satisfied: 1, firedSeq: 2 });
  return driver.next({
    fences: [{ step, task: -1, token }],
    steps: [ended, begun],
    newSteps: new Set([begun]),
    enqueue: [enqueued(step + 1, { lease: lease(nextToken) })],
    closes: [{ step, task: -1, attempt: 1 }],
    payloads: [{ step, task: -1, output: outputOf(step) }],
    trace: [
      { type: "task.completed", step },
      { type: "step.ready", step: step + 1, attempt: 0, data: { of: step } },
    ],
  });
}

interface Company extends StoreBench {
  /** Sends a commit, alone or with one of another run; answers its kind. */
  readonly send: (commit: RunCommit) => Promise<string>;
}

interface ChainClaim {
  readonly claim: string;
  readonly check: (company: Company) => Promise<void>;
}

/** What there is of a run. */
async function stateOf(store: Store, runId: string): Promise<unknown> {
  const loaded = await store.load(runId);
  const output = await store.readPayloads([{ kind: "step", runId, step: 0, task: -1 }]);
  return { run: loaded?.run, steps: loaded?.steps, output, version: loaded?.version, leases: loaded?.leases };
}

const claims: readonly ChainClaim[] = [
  {
    claim: "carries on a chain, step after step, to the end of its run",
    check: async ({ store, send }) => {
      const chain = await startChain(store);
      const { driver } = chain;
      const token = newId();
      const first = nextOf(chain, 0, token);
      assert.equal(await send(first), "accepted");
      const { run, steps, leases } = (await store.load(driver.id))!;
      assert.deepEqual(run, first.run);
      assert.deepEqual(steps, first.steps);
      assert.deepEqual(
        leases.map((each) => [each.step, each.attempt, each.worker, each.token]),
        [[1, 1, "w1", token]],
      );
      Object.assign(driver, { version: 2 }).row.traceSeq = 2;
      const { steps: rows, newSteps: _, enqueue: __, ...last } = nextOf({ driver, token }, 1);
      const end = { ...last, steps: rows.slice(0, 1), newSteps: new Set<never>(), enqueue: [] };
      Object.assign(end.run!, { status: "completed", phase: "done", finishedAt: 3_000 });
      assert.equal(await send(end), "accepted");
      const loaded = (await store.load(driver.id))!;
      assert.deepEqual([loaded.run, loaded.steps[1], loaded.leases], [end.run, rows[0], []]);
      assert.deepEqual(await store.readTrace(driver.id, 0, 10), [...first.trace, ...end.trace]);
      const payloads = await store.readPayloads(
        [0, 1].map((step) => ({ kind: "step", runId: driver.id, step, task: -1 })),
      );
      assert.deepEqual(
        payloads.map((each) => each?.value),
        [outputOf(0), outputOf(1)],
      );
    },
  },
  {
    claim: "knows a repeat of the latest step, and changes nothing for a repeat of any",
    check: async ({ store, send }) => {
      const chain = await startChain(store);
      const { driver } = chain;
      const token = newId();
      const first = nextOf(chain, 0, token);
      assert.equal(await send(first), "accepted");
      assert.equal(await send(first), "repeat");
      Object.assign(driver, { version: 2 }).row.traceSeq = 2;
      assert.equal(await send(nextOf({ driver, token }, 1)), "accepted");
      const before = await stateOf(store, driver.id);
      const answer = await send(first);
      assert.ok(answer === "repeat" || answer === "conflict", answer);
      assert.deepEqual(await stateOf(store, driver.id), before);
    },
  },
  {
    claim: "refuses a step that was computed from another version, on another commit, or for a run that is not there",
    check: async ({ store, send }) => {
      const chain = await startChain(store);
      const before = await stateOf(store, chain.driver.id);
      const commit = nextOf(chain, 0);
      assert.equal(await send({ ...commit, expectedVersion: 2 }), "conflict");
      assert.equal(await send({ ...commit, follows: "another" }), "conflict");
      assert.equal(await send({ ...commit, runId: newId() }), "conflict");
      assert.deepEqual(await stateOf(store, chain.driver.id), before);
      assert.equal(await send(commit), "accepted");
    },
  },
  {
    claim: "refuses a step whose lease another has, or nobody",
    check: async ({ store, send, advance }) => {
      const chain = await startChain(store);
      const { driver } = chain;
      const before = await stateOf(store, driver.id);
      assert.equal(await send({ ...nextOf(chain, 0), fences: [{ step: 0, task: -1, token: "another" }] }), "fenced");
      assert.deepEqual(await stateOf(store, driver.id), before);
      await advance(20_000);
      assert.equal((await store.sweep({ limit: 10 })).lost.length > 0, true);
      driver.version = 2;
      assert.equal(await send(nextOf(chain, 0)), "fenced");
    },
  },
  {
    claim: "rejects a step whose trace does not continue that of the run",
    check: async ({ store, send }) => {
      const chain = await startChain(store);
      const before = await stateOf(store, chain.driver.id);
      const commit = nextOf(chain, 0);
      const trace = commit.trace.map((event) => Object.assign({}, event, { seq: event.seq + 1 }));
      const run = Object.assign(commit.run!, { traceSeq: commit.run!.traceSeq + 1 });
      assert.equal(await send({ ...commit, run, trace }), "rejected");
      run.traceSeq -= 1;
      assert.deepEqual(await stateOf(store, chain.driver.id), before);
      assert.equal(await send(commit), "accepted");
    },
  },
  {
    claim: "gives back the places of a step that ends",
    check: async ({ store, send }) => {
      const limits = [places("db", 1)];
      const driver = await queueSteps(store, 1, { limits });
      await queueSteps(store, 1, { limits });
      const { token } = await claimOne(store, "w1");
      assert.equal(await send(nextOf({ driver, token }, 0)), "accepted");
      await claimOne(store, "w1");
    },
  },
];

export const chainClaims: readonly StoreClaim[] = claims.flatMap(({ claim, check }) => [
  {
    claim,
    check: ({ store, advance }) => {
      const send = async (commit: RunCommit) => (await store.commit([commit])).answers[0]!.kind;
      return check({ store, advance, send });
    },
  },
  {
    claim: `${claim}, in a call with another run`,
    check: async ({ store, advance }) => {
      const send = async (commit: RunCommit) => {
        const other = nextOf(await startChain(store), 0);
        const [others, answer] = (await store.commit([other, commit])).answers;
        assert.equal(others!.kind, "accepted");
        return answer!.kind;
      };
      return check({ store, advance, send });
    },
  },
]);
