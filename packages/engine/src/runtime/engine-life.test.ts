import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { workflow } from "../builder/workflow.ts";
import { readProcessState } from "../process/process-state.ts";
import type { Engine } from "../engine.ts";
import { define, Fixture, storeKinds } from "../testing/fixture.ts";

const fixture = new Fixture();
afterEach(() => fixture.clear());

/** Whether a process with that id runs; one that has ended and that nobody has taken note of does not. */
function isRunning(pid: number): boolean {
  const state = readProcessState(pid);
  return state !== undefined && !state.isZombie;
}

async function eventually(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await what()) return;
    await sleep(5);
  }
  throw new Error("it did not come about");
}

async function statusOf(engine: Engine, runId: string, step: string): Promise<string | undefined> {
  return (await engine.inspect(runId))?.steps[step]?.status;
}

const blockFile = (mode: string): string => `
steps:
  - id: block
    parallel:
      onFailure: ${mode}
      maxConcurrent: 2
      steps:
        - {id: bad, run: "sleep 0.1; exit 1"}
        - {id: slow, run: "sleep 0.5; echo done"}
        - {id: later, run: "true"}
`;

describe.each(storeKinds)("a run on %s", (kind) => {
  const open = (options = {}) => fixture.engine({ store: fixture.store(kind), ...options });

  test("that is canceled stops the processes of its steps", async () => {
    const engine = await open();
    const pids = join(fixture.directory(), "pid");
    const handle = await engine.start(
      define(`
steps:
  - {id: long, run: "sleep 60 & echo $! > ${pids}; wait"}
  - {id: after, run: "true"}
finally:
  - {id: tidy, run: "echo \${{ run.status }}"}
`),
    );
    const worker = await engine.work({ runIds: [handle.id] });
    await eventually(async () => (await statusOf(engine, handle.id, "long")) === "running");
    await eventually(() => readPid(pids) > 0);
    await handle.cancel();
    const result = await handle.result();
    await worker.stop();
    expect(result).toMatchObject({ status: "canceled", error: { code: "canceled" } });
    expect(result.steps["long"]).toMatchObject({ status: "canceled", cause: "run_canceled" });
    expect(result.steps["after"]).toMatchObject({ status: "skipped", skipReason: "run_canceled" });
    expect(result.steps["tidy"]).toMatchObject({ status: "completed", output: { stdout: "canceled\n" } });
    expect(isRunning(readPid(pids))).toBe(false);
  });

  test("stops running programs in a block with `fail_all`, and lets them end with `complete_running`", async () => {
    const engine = await open();
    const [all, running] = await Promise.all([
      engine.run(define(blockFile("fail_all"))),
      engine.run(define(blockFile("complete_running"))),
    ]);
    expect(all.steps).toMatchObject({
      block: { status: "failed" },
      slow: { status: "canceled", cause: "scope_failed" },
      later: { status: "skipped", skipReason: "scope_failed" },
    });
    expect(running.steps).toMatchObject({
      block: { status: "failed" },
      slow: { status: "completed", output: { stdout: "done\n" } },
      later: { status: "skipped", skipReason: "scope_failed" },
    });
  });

  test("stops an attempt at its timeout and repeats it as the policy says", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: slow, run: sleep 30, timeout: 100ms, retry: {maxAttempts: 2, delay: 10ms}}
`),
    );
    expect(result.steps["slow"]).toMatchObject({ status: "failed", attempts: 2, error: { code: "timeout" } });
    expect(result.durationMs).toBeLessThan(10_000);
  });

  test("repeats a failing step until it succeeds, and waits as long as the handler asks", async () => {
    const engine = await open();
    const starts: number[] = [];
    const flaky = workflow("flaky").step(
      "try",
      { retry: { maxAttempts: 3, delay: 1 } },
      async ({ attempt, idempotencyKey }) => {
        starts.push(Date.now());
        if (attempt < 3)
          throw Object.assign(new Error("not yet"), { name: "StepFailure", code: "busy", retryAfterMs: 30 });
        return idempotencyKey;
      },
    );
    const result = await engine.run(flaky);
    expect(result.steps["try"]).toMatchObject({ status: "completed", attempts: 3, output: `${result.runId}/try/0` });
    expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(29);
  });

  test("waits for sleeps and delays, never less than asked", async () => {
    const engine = await open();
    const result = await engine.run(
      define(`
steps:
  - {id: nap, sleep: 50ms}
  - {id: later, run: "true", startDelay: "\${{ 0.04 }}"}
`),
    );
    expect(result.steps["nap"]?.durationMs).toBeGreaterThanOrEqual(50);
    const [nap, later] = [result.steps["nap"]!, result.steps["later"]!];
    expect(Date.parse(later.startedAt!) - Date.parse(nap.finishedAt!)).toBeGreaterThanOrEqual(40);
  });

  test("takes each signal once, also one that came before its step waited", async () => {
    const engine = await open();
    const handle = await engine.start(
      define(`
steps:
  - {id: first, signal: go}
  - {id: second, signal: go, set: {got: "\${{ steps.second.output.n }}"}}
  - {id: third, approval: Really?}
  - {id: last, run: "echo \${{ steps.first.output.n }} \${{ context.got }}"}
`),
    );
    await engine.signal(handle.id, "go", { n: 1 });
    await engine.signal(handle.id, "go", { n: 2 });
    const worker = await engine.work({ runIds: [handle.id] });
    await eventually(async () => (await statusOf(engine, handle.id, "third")) === "waiting");
    await engine.approve(handle.id, "third", { by: "me" });
    const result = await handle.result();
    await worker.stop();
    expect(result.steps["last"]?.output).toMatchObject({ stdout: "1 2\n" });
    expect(result.steps["third"]?.output).toEqual({ by: "me" });
    await expect(engine.signal(handle.id, "go")).rejects.toMatchObject({ code: "is_terminal" });
  });

  test("fails a step whose approval is rejected, with the words of whoever rejected it", async () => {
    const engine = await open();
    const handle = await engine.start(define("steps: [{id: ask, approval: Ship it?}]"));
    await engine.reject(handle.id, "ask", { note: "not on a Friday" });
    const result = await handle.result();
    expect(result.steps["ask"]).toMatchObject({
      status: "failed",
      error: { code: "rejected", message: "not on a Friday" },
    });
  });

  test("can be paused and resumed", async () => {
    const engine = await open();
    const gate = join(fixture.directory(), "gate");
    const handle = await engine.start(
      define(`
steps:
  - {id: one, run: "until test -e ${gate}; do sleep 0.02; done"}
  - {id: two, run: "true"}
`),
    );
    const worker = await engine.work({ runIds: [handle.id] });
    await eventually(async () => (await statusOf(engine, handle.id, "one")) === "running");
    await engine.pause(handle.id);
    writeFileSync(gate, "");
    await eventually(async () => (await statusOf(engine, handle.id, "one")) === "completed");
    expect(await engine.progress(handle.id)).toMatchObject({
      status: "paused",
      totalSteps: 2,
      completedSteps: 1,
      percentage: 50,
    });
    await engine.resume(handle.id);
    expect((await handle.result()).status).toBe("completed");
    await expect(engine.resume(handle.id)).rejects.toMatchObject({ code: "not_paused" });
    await worker.stop();
  });

  test("that failed runs again from the failure, and keeps what was done", async () => {
    const engine = await open();
    const fix = join(fixture.directory(), "fix");
    const definition = define(`
steps:
  - {id: a, run: "echo $RANDOM$RANDOM"}
  - id: m
    forEach: [x, y, z]
    run: 'test "\${{ item }}" != y || test -e ${fix}; echo "\${{ item }} $RANDOM"'
  - {id: b, run: "echo \${{ steps.a.output.stdout }} \${{ toJSON(steps.m.output) }}"}
`);
    const failed = await engine.run(definition, { overrides: { mode: "continue" } });
    expect(failed).toMatchObject({ status: "failed", epoch: 1 });
    writeFileSync(fix, "");
    const worker = await engine.work();
    await engine.retry(failed.runId);
    const result = await (await engine.get(failed.runId))!.result();
    expect(result).toMatchObject({ status: "completed", epoch: 2, error: null });
    expect(result.steps["a"]?.output).toEqual(failed.steps["a"]?.output);
    const outputs = result.steps["m"]!.output as { stdout: string }[];
    expect(outputs.map(({ stdout }) => stdout.split(" ")[0])).toEqual(["x", "y", "z"]);
    await expect(engine.retry(failed.runId, { from: "nope" })).rejects.toMatchObject({ code: "unknown_step" });
    await engine.retry(failed.runId, { from: "m" });
    const again = await (await engine.get(failed.runId))!.result();
    expect(again).toMatchObject({ status: "completed", epoch: 3 });
    expect(again.steps["a"]?.output).toEqual(failed.steps["a"]?.output);
    expect(again.steps["m"]?.output).not.toEqual(result.steps["m"]?.output);
    await worker.stop();
  });

  test("starts child runs and takes over their outputs and failures", async () => {
    const engine = await open();
    await engine.register(
      define(
        `
name: child
inputs: {n: integer}
steps: [{id: work, run: "test \${{ inputs.n }} -lt 3; echo $((\${{ inputs.n }} * 10))"}]
output: {tens: "\${{ steps.work.output.stdout }}"}
`.replace("$((${{ inputs.n }} * 10))", "${{ inputs.n }}0"),
      ),
    );
    const result = await engine.run(
      define(`
name: parent
steps:
  - {id: one, workflow: child, with: {n: 1}}
  - {id: each, forEach: [1, 2], workflow: child, with: {n: "\${{ item }}"}}
  - {id: bad, workflow: child, with: {n: 3}, continueOnError: true}
  - {id: none, workflow: nobody, continueOnError: true}
output: ["\${{ steps.one.output.tens }}", "\${{ steps.each.output[1].tens }}"]
`),
    );
    expect(result).toMatchObject({ status: "completed", output: ["10\n", "20\n"] });
    expect(result.steps["bad"]).toMatchObject({ status: "failed", error: { code: "child_failed" } });
    expect(result.steps["none"]?.error?.message).toContain("`nobody`");
    expect(await engine.list({ workflow: "child" })).toHaveLength(4);
  });

  test("cancels its child runs with itself", async () => {
    const engine = await open();
    await engine.register(define("{name: child, steps: [{id: wait, signal: never}]}"));
    const handle = await engine.start(define("{name: parent, steps: [{id: c, workflow: child}]}"));
    const worker = await engine.work({ runIds: [handle.id] });
    await eventually(async () => (await engine.list({ workflow: "child", status: ["running"] })).length === 1);
    await handle.cancel();
    expect((await handle.result()).steps["c"]).toMatchObject({ status: "canceled" });
    const [child] = await engine.list({ workflow: "child" });
    expect(child?.run.status).toBe("canceled");
    await worker.stop();
  });

  test("is started once for an idempotency key", async () => {
    const engine = await open();
    const definition = define("{inputs: {n: integer}, steps: [{id: a, run: 'true'}]}");
    const options = { idempotencyKey: "k", input: { n: 1 } };
    const [one, two] = await Promise.all([engine.start(definition, options), engine.start(definition, options)]);
    expect(two.id).toBe(one.id);
    await expect(engine.start(definition, { ...options, input: { n: 2 } })).rejects.toMatchObject({
      code: "idempotency_conflict",
    });
    expect((await engine.run(definition, options)).runId).toBe(one.id);
  });

  test("tells every event once and in order, to whoever listens from wherever", async () => {
    const engine = await open();
    const handle = await engine.start(define("steps: [{id: a, run: 'true'}, {id: b, run: 'true'}]"));
    const live = collect(handle.events());
    const worker = await engine.work({ runIds: [handle.id] });
    const events = await live;
    await worker.stop();
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "run.completed" });
    expect(events).toContainEqual(expect.objectContaining({ type: "step.started", step: "b" }));
    expect(await collect(engine.events(handle.id))).toEqual(events);
    expect(await collect(engine.events(handle.id, { after: 3 }))).toEqual(events.slice(3));
    expect(await collect(engine.events(handle.id, { after: events.length }))).toEqual([]);
  });

  test("lets its steps be awaited one by one", async () => {
    const engine = await open();
    const handle = await engine.start(define("steps: [{id: a, run: echo A}, {id: b, signal: go}]"));
    const worker = await engine.work({ runIds: [handle.id] });
    expect(await handle.step("a").result()).toMatchObject({ status: "completed", output: { stdout: "A\n" } });
    await engine.signal(handle.id, "go", 7);
    expect(await handle.step("b").result()).toMatchObject({ status: "completed", output: 7 });
    await worker.stop();
  });
});

function readPid(path: string): number {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
