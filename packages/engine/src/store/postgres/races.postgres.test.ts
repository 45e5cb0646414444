import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { SeededRandom } from "../../testing/seeded-random.ts";
import {
  claimAs,
  completion,
  enqueued,
  finishedRun,
  leaseOf,
  putPlan,
  queuedRow,
  queueSteps,
  startRun,
  stepRow,
} from "../contract/fixtures.ts";
import { RunDriver } from "../contract/run-driver.ts";
import type { ClaimedTask } from "../claims.ts";
import type { Store } from "../port.ts";
import type { RunCommit, TaskLimit } from "../run-commit.ts";
import { createPostgresStore } from "../postgres.ts";
import { ScratchLinks } from "./scratch-links.ts";

/** One place of a limit that all tasks of a test share. */
const key = (max: number): readonly TaskLimit[] => [{ name: "db", max, rate: null }];

describeEachServer((server) => {
  const scratch = new ScratchLinks(server);
  const stores: Store[] = [];
  beforeEach(() => scratch.next());
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });
  afterAll(() => scratch.remove());

  async function open(count: number): Promise<readonly Store[]> {
    for (let index = 0; index < count; index += 1) stores.push(createPostgresStore({ url: scratch.url }));
    await Promise.all(stores.map((store) => store.open()));
    await putPlan(stores[0]!);
    return stores;
  }

  /** What has to hold of the rows whenever nobody is writing. */
  async function checkRows(): Promise<void> {
    const wrong = await scratch.query(`
      select 'a place of an attempt that does not hold it', count(*) from limit_slots l where not exists (
        select from steps s where s.run_id = l.run_id and s.step_index = l.step_index and s.task_index = l.task_index
          and s.dispatch = 'leased')
      union all
      select 'an attempt without the place it needs', count(*) from steps s
      where s.dispatch = 'leased' and s.limit_key is not null and not exists (
        select from limit_slots l where s.run_id = l.run_id and s.step_index = l.step_index and s.task_index = l.task_index)
      union all
      select 'an attempt under a run that has ended', count(*) from steps s join runs r on r.id = s.run_id
      where r.finished_at is not null and s.dispatch in ('queued', 'leased')
      union all
      select 'a run whose trace has a gap', count(*) from runs r
      where r.trace_seq <> (select coalesce(sum(t.last_seq - t.first_seq + 1), 0) from trace_events t where t.run_id = r.id)
        or r.trace_seq <> (select coalesce(max(t.last_seq), 0) from trace_events t where t.run_id = r.id)`);
    expect(wrong.filter(([, count]) => count !== 0)).toEqual([]);
  }

  test("of several commits made of the same version one is accepted, and nothing of the others is written", async () => {
    const all = await open(5);
    const run = await startRun(all[0]!);
    for (let round = 0; round < 15; round += 1) {
      const commits = all.map((_, index): RunCommit => {
        const output = `${round}/${index}`;
        return run.next({
          steps: [stepRow(0, { status: "running", attempt: 1, attemptsUsed: 1 })],
          payloads: [{ step: 0, task: -1, output }],
          trace: [{ type: "step.started" }],
        });
      });
      const answers = await Promise.all(all.map((store, index) => store.commit([commits[index]!])));
      const kinds = answers.map(({ answers: [answer] }) => answer!.kind);
      const winner = kinds.indexOf("accepted");
      expect(kinds.toSorted()).toEqual(["accepted", ...all.slice(1).map(() => "conflict")]);
      const [payload] = await all[0]!.readPayloads([{ runId: run.id, kind: "step", step: 0, task: -1 }]);
      expect(payload!.value).toBe(`${round}/${winner}`);
      run.version += 1;
      Object.assign(run.row, commits[winner]!.run);
    }
    await checkRows();
  });

  test("a commit repeated by another connection at the same instant is carried out once, and both hear the same", async () => {
    const all = await open(4);
    const run = await queueSteps(all[0]!, 2);
    for (let round = 0; round < 10; round += 1) {
      const commit = run.next({
        trace: [{ type: "step.waiting" }],
        cancels: [{ step: round % 2, task: -1, attempt: 1, cause: "run_canceled", ifQueued: true }],
      });
      const answers = await Promise.all(all.map((store) => store.commit([commit])));
      const kinds = answers.map(({ answers: [answer] }) => answer!.kind).toSorted();
      expect(kinds).toEqual(["accepted", "repeat", "repeat", "repeat"]);
      const outcomes = answers.map(({ answers: [answer] }) => (answer as { cancels: unknown }).cancels);
      for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
      run.version += 1;
      Object.assign(run.row, commit.run);
    }
    await checkRows();
  });

  test("eight workers that claim at once take each task once, and never more of a key than it has places", async () => {
    const all = await open(8);
    for (let run = 0; run < 6; run += 1) {
      await queueSteps(all[0]!, 2, { priority: run % 2 });
      await queueSteps(all[0]!, 2, { limits: key(3), priority: run % 3 });
    }
    const taken: ClaimedTask[] = [];
    let isBusy = true;
    for (let round = 0; isBusy && round < 40; round += 1) {
      const answers = await Promise.all(
        all.map((store, index) => claimAs(store, `w${index}`, { queues: [{ queue: "default", limit: 2 }] })),
      );
      const tasks = answers.flatMap((answer) => answer.tasks);
      taken.push(...tasks);
      const [[used]] = (await scratch.query("select count(*) from limit_slots where name = 'db'")) as [[number]];
      expect(used).toBeLessThanOrEqual(3);
      await checkRows();
      await Promise.all(
        tasks.map(async (task, index) => {
          const run = await driverOf(all[index % all.length]!, task.runId);
          return run.store.commit([run.next(completion(task))]);
        }),
      );
      const [[left]] = (await scratch.query("select count(*) from steps where dispatch = 'queued'")) as [[number]];
      isBusy = left > 0;
    }
    const names = taken.map(({ runId, step }) => `${runId}/${step}`);
    expect(new Set(names).size).toBe(names.length);
    expect(isBusy).toBe(false);
    await checkRows();
  });

  /** Takes up a run as another process has left it. */
  async function driverOf(store: Store, runId: string): Promise<RunDriver> {
    const loaded = (await store.load(runId))!;
    const driver = new RunDriver(store, runId);
    Object.assign(driver.row, loaded.run);
    driver.version = loaded.version;
    return driver;
  }

  test("claims, heartbeats, sweeps, cancels and results that meet on the same rows leave every attempt with one fate", async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const random = new SeededRandom(seed);
    const all = await open(6);
    const fates = new Map<string, string>();
    const held: ClaimedTask[] = [];
    const settle = (task: Pick<ClaimedTask, "runId" | "step" | "attempt">, fate: string): void => {
      const name = `${task.runId}/${task.step}/${task.attempt}`;
      expect(fates.get(name), `seed ${seed}: ${name} ${fate}`).toBeUndefined();
      fates.set(name, fate);
    };
    /** Does what a worker does: loads, computes and commits until it is accepted or its lease is gone. */
    const report = async (store: Store, task: ClaimedTask): Promise<void> => {
      for (;;) {
        const run = await driverOf(store, task.runId);
        const { answers } = await store.commit([
          run.next({ ...completion(task), trace: [{ type: "task.completed" }] }),
        ]);
        if (answers[0]!.kind === "accepted") return settle(task, "completed");
        if (answers[0]!.kind === "fenced") return;
        expect(answers[0]!.kind, `seed ${seed}`).toBe("conflict");
      }
    };
    const requeue = async (store: Store, task: { runId: string; step: number; attempt: number }): Promise<void> => {
      for (;;) {
        const run = await driverOf(store, task.runId);
        const attempt = task.attempt + 1;
        const steps = [stepRow(task.step, { status: "queued", attempt, attemptsUsed: 1 })];
        const queued = enqueued(task.step, { attempt, limits: task.step === 1 ? key(2) : [] });
        const { answers } = await store.commit([
          run.next({ steps, enqueue: [queued], trace: [{ type: "task.lost" }] }),
        ]);
        if (answers[0]!.kind === "accepted") return;
      }
    };
    const acts: ((store: Store, worker: string) => Promise<unknown>)[] = [
      async (store, worker) => {
        const { tasks } = await claimAs(store, worker, { leaseMs: random.next() < 0.4 ? 1 : 60_000 });
        held.push(...tasks);
      },
      async (store) => {
        const task = held.splice(Math.floor(random.next() * held.length), 1)[0];
        if (task !== undefined) await report(store, task);
      },
      async (store, worker) => {
        const leases = held.slice(0, 4).map(leaseOf);
        await store.heartbeat({ worker, leaseMs: random.next() < 0.5 ? 1 : 60_000, leases });
      },
      async (store) => {
        const { lost } = await store.sweep({ limit: 10 });
        for (const task of lost) settle(task, "lost");
        await Promise.all(lost.map((task) => requeue(store, task)));
      },
      async (store) => {
        const task = held[0];
        if (task === undefined) return;
        const run = await driverOf(store, task.runId);
        const cancel = {
          step: task.step,
          task: -1,
          attempt: task.attempt,
          cause: "run_canceled",
          ifQueued: false,
        } as const;
        await store.commit([run.next({ cancels: [cancel] })]);
      },
    ];
    for (let index = 0; index < 5; index += 1) {
      await startRun(all[0]!, {
        change: { steps: [queuedRow(0), queuedRow(1)], enqueue: [enqueued(0), enqueued(1, { limits: key(2) })] },
      });
    }
    for (let round = 0; round < 25; round += 1) {
      const choices = all.map(() => acts[Math.floor(random.next() * acts.length)]!);
      await Promise.all(all.map((store, index) => choices[index]!(store, `w${index}`)));
      await checkRows();
    }
    const [[places]] = (await scratch.query("select count(*) from limit_slots")) as [[number]];
    expect(places, `seed ${seed}`).toBeLessThanOrEqual(2);
    expect(new Set(fates.values()).size, `seed ${seed}`).toBeGreaterThan(0);
  });

  test("a run is pruned whole or carried on, whoever writes it meanwhile", async () => {
    const [pruning, committing] = (await open(2)) as [Store, Store];
    for (let round = 0; round < 10; round += 1) {
      const run = await finishedRun(committing, "completed", { finishedAt: 1_000 });
      const revived = run.next({ run: Object.assign(run.row, { status: "running", finishedAt: null, epoch: 2 }) });
      const [pruned, { answers }] = await Promise.all([
        pruning.prune({ olderThanMs: 0 }),
        committing.commit([revived]),
      ]);
      const isKept = answers[0]!.kind === "accepted";
      expect(pruned).toEqual(isKept ? [] : [run.id]);
      expect((await pruning.load(run.id)) !== null).toBe(isKept);
      expect(await scratch.query("delete from runs returning 1")).toHaveLength(isKept ? 1 : 0);
    }
  });
});
