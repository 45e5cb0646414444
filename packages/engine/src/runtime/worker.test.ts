import { afterEach, describe, expect, test } from "vitest";
import type { Engine, EngineOptions } from "../engine.ts";
import type { EngineParts } from "./create-engine.ts";
import { StepFailure } from "../steps/step-type.ts";
import type { StepContext, StepResult, StepType } from "../steps/step-type.ts";
import { Faults, withFaults } from "../store/faults.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/port.ts";
import { define } from "../testing/fixture.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { VirtualTime } from "../testing/virtual-clock.ts";
import type { ProcessClock } from "../testing/virtual-clock.ts";
import { createEngine } from "./create-engine.ts";

const LEASE_MS = 15_000;

/** One store in virtual time, and engines on it as if each were a process. */
class Scene {
  readonly time = new VirtualTime();
  readonly faults = new Faults();
  readonly store: Store = createMemoryStore({ now: this.time.wall });
  readonly calls: string[] = [];
  readonly engines: Engine[] = [];
  #seed = 0;

  async engine(
    options: EngineOptions & EngineParts & { readonly faulty?: boolean } = {},
  ): Promise<Engine & { clock: ProcessClock }> {
    this.#seed += 1;
    const clock = this.time.process();
    const store = options.faulty === true ? withFaults(this.#counted(), this.faults) : this.#counted();
    const random = new SeededRandom(this.#seed);
    const made = createEngine({ store, clock, random, leaseMs: LEASE_MS, onTrouble: () => {}, ...options });
    const engine = await this.done(made);
    this.engines.push(engine);
    return Object.assign(engine, { clock });
  }

  /** Waits for a promise, and lets as much time pass as it takes. */
  async done<Value>(promise: Promise<Value>): Promise<Value> {
    let isDone = false;
    const settled = promise.finally(() => (isDone = true));
    settled.catch(() => {});
    if (!(await this.time.run(3_600_000, () => isDone))) throw new Error("it is not done after an hour");
    return settled;
  }

  #counted(): Store {
    return new Proxy(this.store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          this.calls.push(String(name));
          return (value as (...rest: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  }
}

let scene = new Scene();
afterEach(async () => {
  for (const engine of scene.engines) void engine.close();
  await scene.time.run(1);
  scene = new Scene();
});

/** A step type that does what the test says. */
const typeOf = (name: string, run: (context: StepContext) => Promise<StepResult>): StepType => ({ name, run });

const after = (clock: ProcessClock, ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

const chain = (type: string, length: number) =>
  define(`{name: ${type}, steps: [${Array.from({ length }, (_, n) => `{id: s${n}, type: ${type}}`).join(", ")}]}`);

describe("a worker", () => {
  test("that is stopped gives back what does not end in time, and that costs no attempt", async () => {
    const starts: number[] = [];
    const wait = typeOf("wait", async ({ signal, attempt }) => {
      starts.push(attempt);
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      return { output: null };
    });
    const first = await scene.engine({ types: [wait] });
    const worker = await scene.done(first.work());
    const { id } = await scene.done(first.start(define("steps: [{id: a, type: wait, retry: {maxAttempts: 1}}]")));
    await scene.time.run(100);
    await scene.done(worker.stop({ drainMs: 1_000 }));
    expect((await scene.store.load(id))?.leases).toEqual([]);

    const second = await scene.engine({ types: [typeOf("wait", async () => ({ output: "done" }))] });
    await scene.done(second.work());
    const result = await scene.done(second.get(id).then((handle) => handle!.result()));
    expect(result).toMatchObject({ status: "completed", steps: { a: { output: "done", attempts: 2 } } });
    expect(starts).toEqual([1]);
  });

  test("that stood still for longer than its lease drops its result, which another has taken its place for", async () => {
    const outputs = ["late", "in time"];
    const lagging = typeOf("slow", async () => {
      const output = outputs.shift()!;
      await after(first.clock, 10_000);
      return { output };
    });
    const first: Engine & { clock: ProcessClock } = await scene.engine({ types: [lagging] });
    await scene.done(first.work());
    const { id } = await scene.done(first.start(define("steps: [{id: a, type: slow}]")));
    await scene.time.run(1_000);
    first.clock.pause(60_000);

    const second = await scene.engine({ types: [typeOf("slow", async () => ({ output: outputs.shift()! }))] });
    await scene.done(second.work());
    const handle = (await scene.done(second.get(id)))!;
    const result = await scene.done(handle.result());
    await scene.time.run(120_000);
    expect(result.steps["a"]).toMatchObject({ output: "in time", attempts: 2 });
    const trace = await scene.store.readTrace(id, 0, 100);
    expect(trace.filter(({ type }) => type === "task.completed")).toHaveLength(1);
    expect(trace.filter(({ type }) => type === "task.lost")).toHaveLength(1);
  });

  test("lets runs keep their places for a slice of time while others wait, and gives each its turn", async () => {
    const steps: string[] = [];
    const lasting = (name: string, ms: number): StepType =>
      typeOf(name, async ({ runId }) => {
        await after(engine.clock, ms);
        steps.push(runId);
        return { output: null };
      });
    const engine: Engine & { clock: ProcessClock } = await scene.engine({
      types: [lasting("short", 10), lasting("long", 200)],
    });
    await scene.done(engine.work({ concurrency: 1 }));
    /** Lengths of the stretches in which one run had the place. */
    const stretches = (): number[] => {
      const lengths: number[] = [];
      for (const [index, run] of steps.entries()) {
        if (run === steps[index - 1]) lengths[lengths.length - 1]! += 1;
        else lengths.push(1);
      }
      return lengths;
    };
    const play = async (type: string, length: number): Promise<number[]> => {
      steps.length = 0;
      const definition = chain(type, length);
      const runs = await scene.done(engine.startMany(definition, [{}, {}]));
      await scene.done(Promise.all(runs.map((run) => run.result())));
      return stretches();
    };
    const short = await play("short", 30);
    expect(short.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...short.slice(0, -1))).toBeLessThanOrEqual(12);
    expect(Math.min(...short.slice(0, -1))).toBeGreaterThanOrEqual(5);
    // Whoever needs more than a slice for a step gives the place up after each.
    expect(await play("long", 3)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("gives a place that a run has no use for to the next before the result is committed", async () => {
    const { store } = scene;
    const slow = new Proxy(store, {
      get: (target, name) => {
        if (name === "commit")
          return (commits: Parameters<Store["commit"]>[0]) => after(engine.clock, 50).then(() => store.commit(commits));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const starts: number[] = [];
    const short = typeOf("short", async () => {
      starts.push(scene.time.elapsed);
      await after(engine.clock, 10);
      return { output: null };
    });
    const engine: Engine & { clock: ProcessClock } = await scene.engine({ types: [short], store: slow });
    await scene.done(engine.startMany(chain("short", 1), [{}, {}]));
    await scene.done(engine.work({ concurrency: 1 }));
    await scene.time.run(1_000);
    expect(starts[1]! - starts[0]!).toBeLessThan(20);
  });

  test.each([1, 8])(
    "with %i places renews a run's slice of time only where nobody waits in any queue",
    async (concurrency) => {
      const listeners: Parameters<Store["onChange"]>[0][] = [];
      const store = new Proxy(scene.store, {
        get: (target, name) => {
          if (name === "onChange")
            return (listener: (typeof listeners)[number]) => (listeners.push(listener), () => {});
          if (name === "isSilent") return false;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
      let startedAt = Number.POSITIVE_INFINITY;
      const short = typeOf("short", async () => {
        await after(engine.clock, 10);
        return { output: null };
      });
      const urgent = typeOf("urgent", async () => {
        startedAt = scene.time.elapsed;
        return { output: null };
      });
      const engine: Engine & { clock: ProcessClock } = await scene.engine({ types: [short, urgent], store });
      await scene.done(engine.work({ concurrency, queues: ["default", "other"], pollIntervalMs: 60_000 }));
      const other = await scene.engine({ types: [urgent] });
      // Until it asks the store but once a minute.
      await scene.time.run(200_000);
      const runs = Array.from({ length: concurrency }, () => ({}));
      await scene.done(engine.startMany(chain("short", 100), runs));
      await scene.time.run(100);
      await scene.done(other.start(define("{name: w, steps: [{id: a, type: urgent, queue: other}]}")));
      for (const listener of listeners) listener({ queues: ["other"] });
      const waitsFrom = scene.time.elapsed;
      await scene.time.run(3_000);
      expect(startedAt - waitsFrom).toBeLessThan(150);
    },
  );

  test("waits the grace time for code that does not heed, then goes on without it, one place poorer", async () => {
    const ends: (() => void)[] = [];
    const deaf = typeOf("deaf", async () => {
      await new Promise<void>((resolve) => ends.push(resolve));
      return { output: null };
    });
    const quick = typeOf("quick", async () => ({ output: null }));
    const engine = await scene.engine({ types: [deaf, quick], graceMs: 2_000 });
    await scene.done(engine.work({ concurrency: 1 }));
    const start = (text: string) => scene.done(engine.start(define(text)));
    const first = await start("{name: one, steps: [{id: a, type: deaf, timeout: 1s}]}");
    const result = await scene.done(first.result());
    expect(result.steps["a"]).toMatchObject({ status: "failed", error: { code: "timeout" }, durationMs: 3_000 });

    const second = await start("{name: two, steps: [{id: b, type: quick}]}");
    await scene.time.run(60_000);
    expect((await engine.inspect(second.id))?.steps["b"]).toMatchObject({ status: "ready" });
    for (const end of ends) end();
    expect((await scene.done(second.result())).status).toBe("completed");
  });

  test("takes only what it has a handler and a queue for, and leaves the rest to others", async () => {
    const ran: string[] = [];
    const type = (name: string, by: string): StepType =>
      typeOf(name, async ({ stepId }) => {
        ran.push(`${stepId} by ${by}`);
        return { output: null };
      });
    const first = await scene.engine({ types: [type("one", "first"), type("two", "first")] });
    const second = await scene.engine({ types: [type("two", "second")] });
    await scene.done(first.work({ queues: ["default"] }));
    await scene.done(second.work({ queues: ["special"] }));
    const handle = await scene.done(
      first.start(
        define(`
steps:
  - {id: a, dependsOn: [], type: one}
  - {id: b, dependsOn: [], type: two, queue: special}
`),
      ),
    );
    expect((await scene.done(handle.result())).status).toBe("completed");
    expect(ran.toSorted()).toEqual(["a by first", "b by second"]);
  });

  test("of one run serves its queues and the children that others start for it", async () => {
    const ran: string[] = [];
    const type = typeOf("note", async ({ stepId }) => {
      ran.push(stepId);
      return { output: null };
    });
    const [worker, other] = [await scene.engine({ types: [type] }), await scene.engine({ types: [type] })];
    await scene.done(other.register(define("{name: child, steps: [{id: inner, type: note, queue: odd}]}")));
    const parent = define(`
steps:
  - {id: a, type: note, queue: even}
  - {id: ask, approval: Go on?}
  - {id: c, workflow: child}
`);
    const { id } = await scene.done(worker.start(parent));
    await scene.done(worker.work({ runIds: [id] }));
    await scene.time.run(5_000);
    // The other engine has no worker: it commits the approval, and with it starts the child.
    await scene.done(other.approve(id, "ask"));
    const result = await scene.done(worker.get(id).then((handle) => handle!.result()));
    expect(result.status).toBe("completed");
    expect(result.durationMs).toBeLessThan(20_000);
    expect(ran).toEqual(["a", "inner"]);
  });

  test("asks the store at most twice a second while there is nothing to do", async () => {
    const engine = await scene.engine();
    await scene.done(engine.work());
    const handle = await scene.done(engine.start(define("steps: [{id: wait, signal: go}]")));
    await scene.done(engine.start(define("steps: [{id: nap, sleep: 1h}]")));
    await scene.time.run(10_000);
    scene.calls.length = 0;
    await scene.time.run(60_000);
    const asked = scene.calls.filter((name) => name !== "onChange");
    expect(asked.length).toBeLessThanOrEqual(120);
    await scene.done(engine.pause(handle.id));
    scene.calls.length = 0;
    await scene.time.run(60_000);
    expect(scene.calls.filter((name) => name === "load" || name === "loadNewer")).toEqual([]);
  });

  test("carries on timers of a process that died", async () => {
    const first = await scene.engine();
    await scene.done(first.work());
    const { id } = await scene.done(first.start(define("steps: [{id: nap, sleep: 20s}]")));
    first.clock.kill();
    const second = await scene.engine();
    await scene.done(second.work());
    const result = await scene.done(second.get(id).then((handle) => handle!.result()));
    expect(result.steps["nap"]?.durationMs).toBeGreaterThanOrEqual(20_000);
    expect(result.steps["nap"]?.durationMs).toBeLessThan(21_000);
  });
});

describe("a commit", () => {
  const quick = typeOf("quick", async ({ stepId }) => ({ output: stepId }));
  const two = define("steps: [{id: a, type: quick}, {id: b, type: quick}]");

  test("whose answer is lost is repeated, and counts once", async () => {
    const engine = await scene.engine({ types: [quick], faulty: true });
    await scene.done(engine.work());
    scene.faults.next("createRuns", { kind: "fail_after" });
    scene.faults.next("commit", { kind: "fail_after", times: 3 });
    const handle = await scene.done(engine.start(two));
    const result = await scene.done(handle.result());
    expect(result).toMatchObject({ status: "completed", steps: { b: { attempts: 1, output: "b" } } });
    expect(scene.faults.hits("commit")).toBe(3);
    const trace = await scene.store.readTrace(handle.id, 0, 100);
    expect(trace.map(({ seq }) => seq)).toEqual(trace.map((_, index) => index + 1));
  });

  test("that is refused is computed again from what others have made of the run", async () => {
    const engine = await scene.engine({ types: [quick], faulty: true });
    await scene.done(engine.work());
    scene.faults.next("commit", { kind: "conflict", times: 2 });
    const handle = await scene.done(engine.start(two));
    expect((await scene.done(handle.result())).steps["b"]).toMatchObject({ status: "completed", attempts: 1 });
  });

  test("with data that cannot be stored fails the task it came from, and no other", async () => {
    const engine = await scene.engine({ types: [quick], faulty: true });
    await scene.done(engine.work({ concurrency: 3 }));
    // All three end in one batch: the refusal hits the batch, then the one report that is tried first.
    scene.faults.next("commit", { kind: "refuse", message: "no such thing", times: 2 });
    const handle = await scene.done(
      engine.start(
        define(`
steps:
  - {id: a, dependsOn: [], type: quick, continueOnError: true}
  - {id: b, dependsOn: [], type: quick, continueOnError: true}
  - {id: c, dependsOn: [], type: quick, continueOnError: true}
`),
      ),
    );
    const { steps } = await scene.done(handle.result());
    const statuses = Object.values(steps).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual(["completed", "completed", "failed"]);
    expect(Object.values(steps).find(({ status }) => status === "failed")?.error).toMatchObject({
      code: "payload_invalid",
      message: expect.stringContaining("no such thing"),
    });
  });

  test("that the store never answers is a fault of the engine, and everybody who waits hears of it", async () => {
    const engine = await scene.engine({ types: [quick], faulty: true, patienceMs: 30_000 });
    const handle = await scene.done(engine.start(two));
    scene.faults.next("commit", { kind: "fail_before", times: 10_000 });
    await scene.done(engine.work());
    await expect(scene.done(handle.result())).rejects.toMatchObject({ code: "engine_fault" });
    await expect(scene.done(engine.start(two))).rejects.toMatchObject({ code: "engine_fault" });
  });

  test("of a failure carries the code and the wishes of the handler", async () => {
    const picky = typeOf("picky", async () => {
      throw new StepFailure("no_luck", "bad \0 luck", { retryable: false });
    });
    const engine = await scene.engine({ types: [picky] });
    await scene.done(engine.work());
    const handle = await scene.done(engine.start(define("steps: [{id: a, type: picky, retry: {maxAttempts: 5}}]")));
    expect((await scene.done(handle.result())).steps["a"]).toMatchObject({
      attempts: 1,
      error: { code: "no_luck", message: "bad \ufffd luck" },
    });
  });
});

const slow = (clock: () => ProcessClock): StepType =>
  typeOf("slow", async ({ signal }) => {
    await new Promise<void>((resolve, reject) => {
      clock().after(10_000, resolve);
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
    return { output: null };
  });

const limited = (onConflict: string): ReturnType<typeof define> =>
  define(`
name: limited
inputs: {env: string}
concurrency: {group: "\${{ inputs.env }}", max: 1, onConflict: ${onConflict}}
steps: [{id: a, type: slow}]
`);

async function openSlow(): Promise<Engine> {
  const engine: Engine & { clock: ProcessClock } = await scene.engine({ types: [slow(() => engine.clock)] });
  await scene.done(engine.work());
  return engine;
}

describe("a limit over the runs of a workflow", () => {
  test("lets runs of one group wait for each other, in order, and others go on", async () => {
    const engine = await openSlow();
    const start = (env: string) => scene.done(engine.start(limited("queue"), { input: { env } }));
    const handles = [await start("x"), await start("x"), await start("y"), await start("x")];
    const results = await Promise.all(handles.map((handle) => scene.done(handle.result())));
    expect(results.map(({ status }) => status)).toEqual(["completed", "completed", "completed", "completed"]);
    const [one, two, other, three] = results.map(({ steps }) => Date.parse(steps["a"]!.startedAt!));
    expect(two! - one!).toBeGreaterThan(9_990);
    expect(three! - two!).toBeGreaterThan(9_990);
    expect(other! - one!).toBeLessThan(1_000);
  });

  test("can end the running one for the new one, or refuse the new one", async () => {
    const engine = await openSlow();
    const start = (mode: string) => scene.done(engine.start(limited(mode), { input: { env: "x" } }));
    const [first, second] = [await start("cancelRunning"), await start("cancelRunning")];
    expect((await scene.done(first.result())).status).toBe("canceled");
    await expect(start("reject")).rejects.toMatchObject({ code: "concurrency_conflict" });
    expect((await scene.done(second.result())).status).toBe("completed");
  });
});

describe("limits of attempts over runs", () => {
  test("hold for the key of a step and for a step type, and a task that waits can be canceled", async () => {
    const most = { key: 0, type: 0 };
    const now = { key: 0, type: 0 };
    const work = (what: "key" | "type") => async (): Promise<StepResult> => {
      most[what] = Math.max(most[what], ++now[what]);
      await after(engine.clock, 1_000);
      now[what] -= 1;
      return { output: null };
    };
    const engine: Engine & { clock: ProcessClock } = await scene.engine({
      types: [typeOf("keyed", work("key")), Object.assign(typeOf("scarce", work("type")), { maxConcurrent: 2 })],
    });
    await scene.done(engine.work({ concurrency: 20 }));
    const definition = define(`
inputs: {host: string}
steps:
  - {id: a, dependsOn: [], type: keyed, concurrency: {key: "host-\${{ inputs.host }}", max: 1}}
  - {id: b, dependsOn: [], type: scarce}
`);
    const start = (host: string) => scene.done(engine.start(definition, { input: { host } }));
    const handles = [await start("x"), await start("x"), await start("x")];
    await scene.done(handles[2]!.cancel());
    const results = await Promise.all(handles.map((handle) => scene.done(handle.result())));
    expect(results.map(({ status }) => status)).toEqual(["completed", "completed", "canceled"]);
    expect(most).toEqual({ key: 1, type: 2 });
    const [first, second] = results.map(({ steps }) => Date.parse(steps["a"]!.startedAt!));
    expect(Math.abs(second! - first!)).toBeGreaterThan(990);
  });

  test("are not all that a step type asks for: retries and timeouts are filled in where a step says nothing", async () => {
    const asking = Object.assign(
      typeOf("asking", async ({ attempt }) => {
        if (attempt < 3) throw new Error("not yet");
        return { output: null };
      }),
      { retry: { maxAttempts: 3, delay: 1 }, timeout: 5_000 },
    );
    const engine = await scene.engine({ types: [asking] });
    await scene.done(engine.work());
    const run = (text: string) => scene.done(engine.start(define(text)).then((handle) => handle.result()));
    expect((await run("{name: one, steps: [{id: a, type: asking}]}")).steps["a"]?.attempts).toBe(3);
    const own = await run("{name: two, steps: [{id: a, type: asking, retry: {maxAttempts: 1}}]}");
    expect(own.steps["a"]).toMatchObject({ status: "failed", attempts: 1 });
  });
});

test("an evaluation that needs a function of another process is left to that one", async () => {
  const quick = typeOf("quick", async () => ({ output: 4 }));
  const definition = define("{name: w, steps: [{id: a, type: quick}, {id: b, type: quick, when: 'true'}]}");
  const [a, b] = definition.steps;
  const withFunction = { ...definition, steps: [a!, { ...b!, when: { $function: "w/b#when" } }] };
  const first = await scene.engine({ types: [quick] });
  await scene.done(first.work());
  const { id } = await scene.done(first.start(withFunction));
  await scene.time.run(60_000);
  expect((await first.inspect(id))?.steps["b"]).toMatchObject({ status: "pending" });
  const seen: unknown[] = [];
  const second = await scene.engine({
    types: [quick],
    functions: new Map([["w/b#when", ({ deps }: { deps: unknown }) => seen.push(deps) < 0]]),
  });
  await scene.done(second.work());
  const result = await scene.done(second.get(id).then((handle) => handle!.result()));
  expect(result.steps["b"]).toMatchObject({ status: "skipped", skipReason: "condition" });
  expect(seen).toEqual([{ a: 4 }]);
});
