import assert from "node:assert/strict";
import { StepRow } from "@braid/core";
import type { RunRow, RunStatus } from "@braid/core";
import type { ClaimAnswer, ClaimedTask, ClaimRequest, HeartbeatRequest } from "../claims.ts";
import type { Store } from "../port.ts";
import type { CreateAnswer, NewRun } from "../records.ts";
import type { Enqueue, Fence, RunCommit } from "../run-commit.ts";
import { chainPlan } from "./plan.ts";
import { newId, RunDriver } from "./run-driver.ts";
import type { Change } from "./run-driver.ts";

/** A store under test, empty and open, whose clock the test moves. */
export interface StoreBench {
  readonly store: Store;
  /** Moves the store's clock on. */
  readonly advance: (ms: number) => Promise<void>;
}

/** One thing that every store promises. */
export interface StoreClaim {
  /** In the present tense, after "a store …". */
  readonly claim: string;
  readonly check: (bench: StoreBench) => Promise<void>;
}

/** A step row with some of its fields set. */
export function stepRow(step: number, fields: Partial<StepRow> = {}, task = -1): StepRow {
  return Object.assign(new StepRow(step, task), fields);
}

/** A row that waits in the queue for its first attempt. */
export function queuedRow(step: number, task = -1): StepRow {
  return stepRow(step, { status: "queued", attempt: 1, attemptsUsed: 1, readyAt: 1 }, task);
}

/** A task of the queue `default`, not leased. */
export function enqueued(step: number, fields: Partial<Enqueue> = {}): Enqueue {
  return {
    step,
    task: -1,
    attempt: 1,
    queue: "default",
    handler: "command",
    priority: 0,
    limits: [],
    resources: null,
    lease: null,
    ...fields,
  };
}

const workflow = "release";
const plan = chainPlan(workflow, ["build", "test", "publish"]);

/** Keeps the workflow that all runs of the suite belong to. */
export async function putPlan(store: Store): Promise<number> {
  const { version } = await store.putWorkflow({ name: workflow, hash: "hash-1", definition: { name: workflow }, plan });
  return version;
}

/** The record of a run that is about to be created. */
export function newRun(fields: Partial<NewRun> = {}): NewRun {
  return {
    id: newId(),
    workflow,
    workflowVersion: 1,
    input: { region: "eu" },
    priority: 0,
    idempotencyKey: null,
    parent: null,
    meta: {},
    group: null,
    ...fields,
  };
}

/** Asks for one run and gives the answer to it. */
export async function createRun(store: Store, run: NewRun, commit: RunCommit): Promise<CreateAnswer> {
  const { answers } = await store.createRuns([{ run, commit }]);
  assert.equal(answers.length, 1);
  return answers[0]!;
}

/** A run that exists and is running. */
export async function startRun(
  store: Store,
  { run: fields = {}, change = {} }: { readonly run?: Partial<NewRun>; readonly change?: Change } = {},
): Promise<RunDriver> {
  await putPlan(store);
  const record = newRun(fields);
  const driver = new RunDriver(store, record.id);
  Object.assign(driver.row, { status: "running", queuedAt: 1_000, lastAt: 1_000, startedAt: 1_000 });
  const commit = driver.next(change);
  const answer = await createRun(store, record, commit);
  assert.deepEqual(answer, { kind: "created", version: 1 });
  driver.version = 1;
  Object.assign(driver.row, commit.run);
  return driver;
}

/** A running run whose first `count` steps are in the queue. */
export function queueSteps(store: Store, count = 1, fields: Partial<Enqueue> = {}): Promise<RunDriver> {
  const steps = Array.from({ length: count }, (_, step) => step);
  return startRun(store, {
    change: { steps: steps.map((step) => queuedRow(step)), enqueue: steps.map((step) => enqueued(step, fields)) },
  });
}

/** Claims with the settings most tests need. */
export function claimAs(store: Store, worker: string, fields: Partial<ClaimRequest> = {}): Promise<ClaimAnswer> {
  const queues = [{ queue: "default", limit: 100 }];
  return store.claim({ worker, leaseMs: 15_000, queues, handlers: null, runIds: null, resources: {}, ...fields });
}

/** Claims the only task that is in the queue. */
export async function claimOne(store: Store, worker = "w1", fields: Partial<ClaimRequest> = {}): Promise<ClaimedTask> {
  const { tasks } = await claimAs(store, worker, fields);
  assert.equal(tasks.length, 1);
  return tasks[0]!;
}

/** A run that has ended. */
export async function finishedRun(
  store: Store,
  status: RunStatus,
  { finishedAt, fields = {} }: { readonly finishedAt: number; readonly fields?: Partial<NewRun> },
): Promise<RunDriver> {
  const run = await startRun(store, { run: fields });
  await run.commit({ run: { status, finishedAt } as RunRow });
  return run;
}

export const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

export const fenceOf = ({ step, task, token }: ClaimedTask): Fence => ({ step, task, token });

export const leaseOf = ({ runId, step, task, token }: ClaimedTask): HeartbeatRequest["leases"][number] => {
  return { runId, step, task, token };
};

/** What a worker commits when its attempt has ended well. */
export function completion(claimed: ClaimedTask): Change {
  const { step, task, attempt } = claimed;
  return {
    fences: [fenceOf(claimed)],
    steps: [stepRow(step, { status: "completed", attempt, attemptsUsed: attempt }, task)],
    closes: [{ step, task, attempt }],
  };
}

/** Sends one commit and gives the kind of its answer. */
export async function answerOf(store: Store, commit: RunCommit): Promise<string> {
  const { answers } = await store.commit([commit]);
  return answers[0]!.kind;
}
