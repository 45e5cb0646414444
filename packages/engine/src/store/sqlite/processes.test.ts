import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { enqueued, putPlan, queuedRow, queueSteps, startRun } from "../contract/fixtures.ts";
import type { Store } from "../port.ts";
import { createSqliteStore } from "../sqlite.ts";

/** What several processes may do to one file at once, and what is left when one of them dies. */

const directory = mkdtempSync(join(tmpdir(), "braid-processes-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

/** Programs of the child processes. They load the sources as they are, so that these tests need no build. */
const prelude = `
import { createInterface } from "node:readline";
import { createJiti } from "jiti";
const source = (path) => new URL(path, ${JSON.stringify(import.meta.url)}).pathname;
const alias = { "@braid/core": source("../../../../core/src/index.ts") };
const jiti = createJiti(source("./processes.test.ts"), { alias });
const { createSqliteStore } = await jiti.import(source("../sqlite.ts"));
const { stepRow } = await jiti.import(source("../contract/fixtures.ts"));
const { RunDriver } = await jiti.import(source("../contract/run-driver.ts"));
const store = createSqliteStore({ path: process.argv[1] });
const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
say("loaded");
for await (const line of createInterface({ input: process.stdin })) { if (line === "go") break; }
`;

interface Child {
  readonly process: ChildProcess;
  /** Lets the child begin what it came for. */
  go(): void;
  /** Lines it has said so far, parsed. */
  readonly said: unknown[];
  /** Resolves when it has said so many lines. */
  hasSaid(count: number): Promise<void>;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
}

async function start(program: string, ...args: readonly string[]): Promise<Child> {
  const cwd = fileURLToPath(new URL("../../..", import.meta.url));
  const child = spawn(process.execPath, ["--input-type=module", "-e", prelude + program, ...args], {
    cwd,
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.add(child);
  const ended = once(child, "close").then(([code]) => code as number | null);
  const said: unknown[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(JSON.parse(line));
    for (const { count, resolve } of waiting) if (said.length >= count) resolve();
  });
  const hasSaid = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (said.length >= count) resolve();
      waiting.push({ count, resolve });
      void ended.then((code) => reject(new Error(`the child ended with ${code} before it had said ${count} lines`)));
    });
  await hasSaid(1);
  said.length = 0;
  return { process: child, said, hasSaid, ended, go: () => child.stdin.end("go\n") };
}

/** The first child compiles the sources and leaves them in a cache; many at once would each do so. */
beforeAll(async () => {
  const child = await start("", "");
  child.go();
  await child.ended;
}, 60_000);

async function open(name: string): Promise<{ readonly store: Store; readonly path: string }> {
  const path = join(directory, name);
  const store = createSqliteStore({ path });
  await store.open();
  return { store, path };
}

test(
  "eight processes that start at once on no file make one schema, and all of them can use it",
  { timeout: 60_000 },
  async () => {
    const path = join(directory, "first-start.db");
    const program = `
    await store.open();
    await store.putRanks("ranks-" + process.argv[2], [1]);
    say(await store.getRanks("ranks-" + process.argv[2]));
    await store.close();`;
    const started = await Promise.all(Array.from({ length: 8 }, (_, index) => start(program, path, String(index))));
    for (const child of started) child.go();
    expect(await Promise.all(started.map(({ ended }) => ended))).toEqual(Array.from({ length: 8 }, () => 0));
    const { store } = await open("first-start.db");
    for (let index = 0; index < 8; index += 1) expect(await store.getRanks(`ranks-${index}`)).toEqual([1]);
    await store.close();
  },
);

/**
 * Claims and completes until nothing is left. Each completion adds one to the run's `completedSteps`, computed from what
 * was loaded, so that an update lost between two processes is seen in the sum.
 */
const contender = `
  const worker = process.argv[2];
  await store.open();
  const counts = { claimed: [], accepted: [], conflicts: 0 };
  for (let idle = 0; idle < 20; ) {
    const queues = [{ queue: "default", limit: 3 }];
    const { tasks } = await store.claim({ worker, leaseMs: 60000, queues, handlers: null, runIds: null, resources: {} });
    idle = tasks.length === 0 ? idle + 1 : 0;
    for (const { runId, step, task, attempt, token } of tasks) {
      counts.claimed.push(runId + "/" + step);
      for (;;) {
        const { run, version } = await store.load(runId);
        const driver = Object.assign(new RunDriver(store, runId), { version });
        Object.assign(driver.row, run);
        const commit = driver.next({
          commitId: worker + "/" + runId + "/" + step + "/" + version,
          run: { completedSteps: run.completedSteps + 1 },
          fences: [{ step, task, token }],
          steps: [stepRow(step, { status: "completed", attempt, attemptsUsed: 1, settledSeq: 1 })],
          closes: [{ step, task, attempt }],
          trace: [{ step, type: "task.completed" }],
        });
        const [answer] = (await store.commit([commit])).answers;
        if (answer.kind === "accepted") { counts.accepted.push(runId + "/" + step); break; }
        if (answer.kind !== "conflict") throw new Error(JSON.stringify(answer));
        counts.conflicts += 1;
      }
    }
  }
  say(counts);
  await store.close();`;

interface Counts {
  readonly claimed: readonly string[];
  readonly accepted: readonly string[];
  readonly conflicts: number;
}

test("processes that race for tasks claim each once and lose no commit", { timeout: 60_000 }, async () => {
  const { store, path } = await open("race.db");
  const stepsEach = 60;
  const runs = [await queueSteps(store, stepsEach), await queueSteps(store, stepsEach)];
  const started = await Promise.all(["a", "b", "c"].map((name) => start(contender, path, name)));
  for (const child of started) child.go();
  expect(await Promise.all(started.map(({ ended }) => ended))).toEqual([0, 0, 0]);

  const counts = started.map(({ said }) => said[0] as Counts);
  const expected = runs.flatMap(({ id }) => Array.from({ length: stepsEach }, (_, step) => `${id}/${step}`)).toSorted();
  expect(counts.flatMap(({ claimed }) => claimed).toSorted()).toEqual(expected);
  expect(counts.flatMap(({ accepted }) => accepted).toSorted()).toEqual(expected);
  // The race must have been one: every process had a share, and somebody came second.
  expect(Math.min(...counts.map(({ accepted }) => accepted.length))).toBeGreaterThan(0);
  expect(counts.reduce((sum, { conflicts }) => sum + conflicts, 0)).toBeGreaterThan(0);
  for (const { id } of runs) {
    const loaded = await store.load(id);
    expect(loaded?.version).toBe(1 + stepsEach);
    expect(loaded?.run.completedSteps).toBe(stepsEach);
    expect(loaded?.leases).toEqual([]);
    expect((await store.readTrace(id, 0, 1_000)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: stepsEach }, (_, index) => index + 1),
    );
  }
  await store.close();
});

/** Commits to one run as fast as it can and says each version after it was accepted. */
const committer = `
  await store.open();
  const loaded = await store.load(process.argv[2]);
  const driver = Object.assign(new RunDriver(store, loaded.id), { version: loaded.version });
  Object.assign(driver.row, loaded.run);
  for (let step = 0; ; step += 1) {
    const { version } = await driver.commit({
      commitId: "commit-" + step,
      steps: [stepRow(step, { status: "running" }), stepRow(step, { status: "running" }, 0)],
      payloads: [{ step, task: -1, output: "x".repeat(2000) }],
      trace: [{ step }, { step, type: "task.completed" }],
    });
    say(version);
  }`;

test("a process killed between commits leaves every commit it was told of, whole", { timeout: 60_000 }, async () => {
  const { store, path } = await open("killed.db");
  const { id } = await startRun(store);
  const child = await start(committer, path, id);
  child.go();
  await child.hasSaid(40);
  child.process.kill("SIGKILL");
  await child.ended;
  const told = child.said.at(-1) as number;

  const loaded = await store.load(id);
  expect(loaded?.version).toBeGreaterThanOrEqual(told);
  const commits = loaded!.version - 1;
  expect(loaded?.steps.length).toBe(2 * commits);
  expect(loaded?.run.traceSeq).toBe(2 * commits);
  expect((await store.readTrace(id, 0, 10_000)).map(({ seq }) => seq)).toEqual(
    Array.from({ length: 2 * commits }, (_, index) => index + 1),
  );
  const requests = Array.from({ length: commits }, (_, step) => ({ runId: id, kind: "step", step, task: -1 }) as const);
  const outputs = (await store.readPayloads(requests)).map((payload) => payload?.value);
  expect(new Set(outputs)).toEqual(new Set(["x".repeat(2_000)]));
  await store.close();
});

test("a commit of one process is heard of by the listeners of another", { timeout: 60_000 }, async () => {
  const { store, path } = await open("watched.db");
  await putPlan(store);
  const heard = new Promise<void>((resolve) => {
    store.onChange(() => resolve());
  });
  const child = await start(`await store.open(); await store.putRanks("r", [1]); await store.close();`, path);
  child.go();
  await heard;
  expect(await child.ended).toBe(0);
  await store.close();
});

test("two stores of one process on one file claim no task twice and see each other's commits", async () => {
  const { store, path } = await open("shared.db");
  const other = createSqliteStore({ path });
  await other.open();
  const run = await startRun(store, {
    change: { steps: [queuedRow(0), queuedRow(1)], enqueue: [enqueued(0), enqueued(1)] },
  });
  const queues = [{ queue: "default", limit: 1 }];
  const request = { leaseMs: 1_000, queues, handlers: null, runIds: null, resources: {} };
  const answers = await Promise.all([
    store.claim({ ...request, worker: "a" }),
    other.claim({ ...request, worker: "b" }),
    store.claim({ ...request, worker: "a" }),
    other.claim({ ...request, worker: "b" }),
  ]);
  const claimed = answers.flatMap(({ tasks }) => tasks.map(({ step }) => step));
  expect(new Set(claimed)).toEqual(new Set([0, 1]));
  expect(claimed.length).toBe(2);

  const commits = [run.next(), run.next()];
  const [mine, theirs] = await Promise.all([store.commit([commits[0]!]), other.commit([commits[1]!])]);
  expect(new Set([mine.answers[0]?.kind, theirs.answers[0]?.kind])).toEqual(new Set(["accepted", "conflict"]));
  expect((await other.load(run.id))?.version).toBe(2);
  await store.close();
  expect((await other.load(run.id))?.version).toBe(2);
  await other.close();
});
