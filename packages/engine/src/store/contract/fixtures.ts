import assert from "node:assert/strict";
import { RunRow, StepRow } from "@braid/core";
import type { Plan, PlanEdge, PlanStep, TraceEvent } from "@braid/core";
import type { CommitAnswer, Enqueue, NewRun, RunCommit, Store } from "../port.ts";

/** A store under test, empty and open, whose clock the test moves. */
export interface StoreBench {
  readonly store: Store;
  /** Moves the store's clock on. */
  advance(ms: number): Promise<void>;
}

/** One thing that every store promises. */
export interface StoreClaim {
  /** In the present tense, after "a store …". */
  readonly claim: string;
  check(bench: StoreBench): Promise<void>;
}

/** A plan with one ordinary step after another, and the last one a map. */
export function chainPlan(workflow: string, ids: readonly string[]): Plan {
  const edges = ids.slice(1).map((_, index): PlanEdge => {
    return { index, from: index, to: index + 1, on: "success", origin: "explicit", port: null };
  });
  const steps = ids.map((id, index): PlanStep => {
    const isMap = index === ids.length - 1;
    return {
      index,
      id,
      name: id,
      kind: "task",
      hidden: false,
      scope: 0,
      slots: isMap ? 1 : 0,
      body: isMap ? 1 : null,
      isMap,
      incoming: index === 0 ? [] : [index - 1],
      outgoing: index === ids.length - 1 ? [] : [index],
      join: { kind: "all", quorum: 0, cancelRest: false },
      whenUnmet: "skip",
      onError: "fail",
      retry: { maxAttempts: 1, delayMs: 0, backoff: "fixed", factor: 1, maxDelayMs: 0, jitter: 0, on: null },
      priority: 0,
      rank: ids.length - index,
      evaluates: isMap,
      evaluatesItems: false,
      startDelayMs: 0,
      sleepMs: 0,
      timeoutMs: null,
      deadlineMs: null,
      signal: null,
      host: {
        description: null,
        handler: "command",
        queue: "default",
        control: {},
        payload: {},
        set: null,
        outputSchema: null,
        concurrency: null,
        resources: null,
        runner: null,
        groupId: null,
        reads: [],
      },
    };
  });
  const scope = { maxConcurrent: null, rateLimit: null, timeoutMs: null, mode: "fail_all", tolerate: null } as const;
  return {
    planVersion: 1,
    workflow,
    definitionVersion: 1,
    steps,
    edges,
    scopes: [
      { index: 0, kind: "run", owner: -1, parent: -1, members: steps.map(({ index }) => index), ...scope },
      { index: 1, kind: "map", owner: ids.length - 1, parent: 0, members: [], ...scope },
    ],
    hasOutput: false,
    phases: { onSuccess: null, onFailure: null, finally: null },
    host: {
      description: null,
      inputs: {},
      env: {},
      secrets: {},
      output: null,
      concurrency: null,
      priority: 0,
      schedule: null,
      types: {},
    },
  };
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
  return { step, task: -1, attempt: 1, queue: "default", handler: "command", priority: 0, lease: null, ...fields };
}

let ids = 0;

/** An identifier in the form of a UUID of version 7; later ones sort later. */
export function newId(): string {
  ids += 1;
  return `01900000-0000-7000-8000-${ids.toString(16).padStart(12, "0")}`;
}

type Traced = Partial<Omit<TraceEvent, "seq">>;

/** What one commit changes; everything else is empty. `trace` is numbered here. */
export type Change = Partial<Omit<RunCommit, "runId" | "trace">> & { readonly trace?: readonly Traced[] };

/** Plays the host of one run: keeps its row and version, and turns changes into commits. */
export class RunDriver {
  readonly store: Store;
  readonly id: string;
  readonly row = new RunRow();
  version = 0;

  constructor(store: Store, id: string) {
    this.store = store;
    this.id = id;
  }

  /** A commit that is not sent yet. It always brings the run's row. */
  next(change: Change = {}): RunCommit {
    const { trace = [], ...rest } = change;
    const events = trace.map((event, index): TraceEvent => {
      const place = { step: 0, task: 0, attempt: 1, data: null, at: 1_000 };
      return { type: "task.started", ...place, ...event, seq: this.row.traceSeq + 1 + index };
    });
    const run = Object.assign(new RunRow(), this.row, rest.run, { traceSeq: this.row.traceSeq + events.length });
    return {
      runId: this.id,
      commitId: newId(),
      expectedVersion: this.version,
      fences: [],
      steps: [],
      enqueue: [],
      cancels: [],
      closes: [],
      payloads: [],
      runOutput: null,
      usedSignals: [],
      ...rest,
      run,
      trace: events,
    };
  }

  /** Sends a commit and, if it was accepted, goes on from it. */
  async send(commit: RunCommit): Promise<CommitAnswer> {
    const [answer] = (await this.store.commit([commit])).answers;
    assert.ok(answer !== undefined, "a commit has an answer");
    if (answer.kind === "accepted") {
      this.version = answer.version;
      if (commit.run !== null) Object.assign(this.row, commit.run);
    }
    return answer;
  }

  /** Commits a change that has to be accepted. */
  async commit(change: Change = {}): Promise<Extract<CommitAnswer, { kind: "accepted" | "repeat" }>> {
    const answer = await this.send(this.next(change));
    assert.equal(answer.kind, "accepted", `expected the commit to be accepted: ${JSON.stringify(answer)}`);
    return answer as Extract<CommitAnswer, { kind: "accepted" | "repeat" }>;
  }
}

export const workflow = "release";
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
    ...fields,
  };
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
  const answer = await store.createRun(record, commit);
  assert.equal(answer.kind, "created");
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
export function claimAs(store: Store, worker: string, fields: Partial<Parameters<Store["claim"]>[0]> = {}) {
  const queues = [{ queue: "default", limit: 100 }];
  return store.claim({ worker, leaseMs: 15_000, queues, handlers: null, runIds: null, ...fields });
}
