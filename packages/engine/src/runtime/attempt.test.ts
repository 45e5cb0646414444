import { afterEach, describe, expect, test } from "vitest";
import type { Definition, JsonValue } from "@braid/core";
import { workflow } from "../builder/workflow.ts";
import { defineStepType } from "../steps/define-step-type.ts";
import type { StepContext, StepType } from "../steps/step-type.ts";
import { anyInput, define, Fixture } from "../testing/fixture.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { VirtualTime } from "../testing/virtual-clock.ts";
import { createEngine } from "./create-engine.ts";
import { createMemoryStore } from "../store/memory.ts";

const fixture = new Fixture();
afterEach(() => fixture.clear());

/** What a workflow of one function gives, whatever the function gives or throws. */
async function runOne(run: () => unknown) {
  const engine = await fixture.engine({ store: "memory:" });
  const result = await engine.run(workflow("one").step("a", { dependsOn: [] }, run as () => JsonValue));
  return result.steps["a"]!;
}

describe("code of a step", () => {
  test("may be done at once, or give a promise or anything that has a `then`", async () => {
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- query builders are such objects
      then: (resolve: (value: string) => void) => resolve("then"),
    };
    const callable = Object.assign(() => null, thenable);
    const outputs: unknown[] = [];
    for (const given of [null, 0, "text", { a: 1 }, Promise.resolve("promise"), thenable, callable]) {
      const { status, output } = await runOne(() => given);
      outputs.push(status === "completed" ? output : status);
    }
    expect(outputs).toEqual([null, 0, "text", { a: 1 }, "promise", "then", "then"]);
  });

  test("that throws before it gives a promise fails like any other", async () => {
    const thrower: StepType = {
      name: "thrower",
      run: () => {
        throw new Error("at once");
      },
    };
    const engine = await fixture.engine({ store: "memory:", types: [thrower] });
    const result = await engine.run(define("steps: [{id: a, type: thrower, retry: {maxAttempts: 2, delay: 1ms}}]"));
    expect(result.steps["a"]).toMatchObject({ attempts: 2, error: { code: "handler_error", message: "at once" } });
    const hostile = new Proxy({}, { getPrototypeOf: () => null, get: () => expect.fail("read") });
    expect(await runOne(() => hostile)).toMatchObject({ status: "failed", error: { code: "handler_error" } });
  });

  test("whose result cannot be read fails its attempt and no more", async () => {
    const ports: StepType = {
      name: "ports",
      run: async () => ({
        output: null,
        get activePorts(): string[] {
          throw new Error("no ports");
        },
      }),
    };
    const engine = await fixture.engine({ store: "memory:", types: [ports] });
    const result = await engine.run(define("steps: [{id: a, type: ports}]"));
    expect(result.steps["a"]).toMatchObject({
      status: "failed",
      error: { code: "handler_error", message: "no ports" },
    });
  });
});

describe("what a handler sees", () => {
  const chain = workflow("chain", { input: anyInput<{ n: number }>() })
    .step("first", { dependsOn: [] }, () => ({ x: 1 }))
    .step("second", { dependsOn: ["first"], set: { seen: "${{ steps.second.output }}" } }, () => "two");

  test("is frozen, and all of it belongs to the object itself", async () => {
    let seen: StepContext | undefined;
    const list = chain.step("third", { dependsOn: ["first", "second"] }, (context) => {
      seen = context as unknown as StepContext;
      const { input, ...rest } = seen;
      return [input, rest.deps, rest.context, rest.attempt, rest.signal.aborted, rest.item ?? null] as JsonValue;
    });
    const engine = await fixture.engine({ store: "memory:" });
    const result = await engine.run(list, { input: { n: 5 } });
    const third = [{ n: 5 }, { first: { x: 1 }, second: "two" }, { seen: "two" }, 1, false];
    expect(result.steps["third"]?.output).toEqual([...third, null]);
    expect(Object.isFrozen(seen)).toBe(true);
    expect(Object.isFrozen(seen?.deps)).toBe(true);
    expect(seen?.deps).toBe(seen?.deps);
    expect(seen).toMatchObject({
      runId: result.runId,
      stepId: "third",
      taskIndex: 0,
      streamId: `${result.runId}/third/0`,
      idempotencyKey: `${result.runId}/third/0`,
      branchId: "main",
    });
    const names =
      "attempt branchId context deps heartbeat idempotencyKey index input item logger payload prev progress";
    const others = "runId services signal stepId streamId taskIndex";
    expect(Object.keys(seen!).toSorted()).toEqual(`${names} ${others}`.split(" "));
  });

  test("stays what it is behind an input of the step type's own", async () => {
    const typed = defineStepType({
      name: "typed",
      input: anyInput<{ n: number }>(),
      run: ({ input, deps, prev, context, logger, signal, progress }) => {
        progress({ half: true });
        logger.info("seen");
        return { input, deps, prev, context, aborted: signal.aborted } as unknown as JsonValue;
      },
    });
    const lines: string[] = [];
    const onLog = ({ text }: { text: string }): void => void lines.push(text);
    const engine = await fixture.engine({ store: "memory:", types: [typed], onLog });
    const text = `
steps:
  - {id: a, type: typed, with: {n: 1}, set: {k: v}}
  - {id: b, type: typed, with: {n: 2}}`;
    const result = await engine.run(define(text));
    const first = { input: { n: 1 }, context: {}, deps: {}, aborted: false };
    expect(result.steps["b"]?.output).toEqual({
      input: { n: 2 },
      deps: { a: first },
      prev: first,
      context: { k: "v" },
      aborted: false,
    });
    expect(lines).toEqual(["seen", "seen"]);
  });

  test("shows no more than its members when it is printed", async () => {
    const { inspect } = await import("node:util");
    let text = "";
    const list = workflow("print").step("a", { dependsOn: [] }, (context) => {
      text = inspect(context, { depth: 9 });
      return null;
    });
    await (await fixture.engine({ store: "memory:" })).run(list);
    expect(text).toContain("idempotencyKey");
    expect(text).not.toContain("plan");
  });
});

/** An engine in virtual time that works. */
async function open(types: StepType[]) {
  const time = new VirtualTime();
  const store = createMemoryStore({ now: time.wall });
  const clock = time.process();
  const done = async <Value>(promise: Promise<Value>): Promise<Value> => {
    let isDone = false;
    void promise.finally(() => (isDone = true)).catch(() => {});
    await time.run(3_600_000, () => isDone);
    return promise;
  };
  const engine = await done(createEngine({ store, clock, random: new SeededRandom(1), graceMs: 1_000, types }));
  await done(engine.work());
  const start = (definition: Definition) => done(engine.start(definition));
  return { engine, time, done, start, close: () => done(engine.close()) };
}

/** A type whose code ends when it is told to stop. */
const heed = (end: "resolve" | "reject"): StepType => ({
  name: end,
  run: ({ signal }) =>
    new Promise((resolve, reject) => {
      const ends = { resolve: () => resolve({ output: "done" }), reject: () => reject(new Error("stopped")) };
      signal.addEventListener("abort", ends[end]);
    }),
});

describe("an attempt that is told to stop", () => {
  test("by its timeout fails, whatever its code makes of it, and what abandoned code gives later is not taken", async () => {
    const ends: (() => void)[] = [];
    const deaf: StepType = {
      name: "deaf",
      run: () => new Promise((resolve) => ends.push(() => resolve({ output: "too late" }))),
    };
    const polite: StepType = {
      name: "polite",
      run: ({ signal }) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve({ output: "so far" }))),
    };
    const { start, done, close, time } = await open([deaf, polite]);
    for (const type of ["deaf", "polite"]) {
      const handle = await start(define(`{name: ${type}, steps: [{id: a, type: ${type}, timeout: 5s}]}`));
      const result = await done(handle.result());
      expect(result.steps["a"]).toMatchObject({ status: "failed", output: null, error: { code: "timeout" } });
      for (const end of ends) end();
      await time.run(1_000);
      expect(await done(handle.result())).toEqual(result);
    }
    await close();
  });

  test("by a cancel is completed if its code completes all the same, and else canceled", async () => {
    const { engine, start, done, time, close } = await open([heed("resolve"), heed("reject")]);
    const statuses: unknown[] = [];
    for (const type of ["resolve", "reject"]) {
      const handle = await start(define(`{name: ${type}, steps: [{id: a, type: ${type}}]}`));
      await time.run(100);
      await done(engine.cancel(handle.id));
      const { steps } = await done(handle.result());
      statuses.push([steps["a"]?.status, steps["a"]?.output]);
    }
    expect(statuses).toEqual([
      ["completed", "done"],
      ["canceled", null],
    ]);
    await close();
  });
});
