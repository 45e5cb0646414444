import { setTimeout as sleep } from "node:timers/promises";
import { TcpProxy } from "@braid/testbed";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

const leaseMs = 900;

/** A handler that the test lets go on. */
class Gate {
  readonly signals: AbortSignal[] = [];
  readonly abortedAt: number[] = [];
  #open = (): void => {};
  readonly isOpen = new Promise<void>((resolve) => (this.#open = resolve));

  open(): void {
    this.#open();
  }

  typeOf(output: string): StepType {
    return {
      name: "gated",
      run: async ({ signal }) => {
        this.signals.push(signal);
        signal.addEventListener("abort", () => this.abortedAt.push(performance.now()));
        await this.isOpen;
        return { output };
      },
    };
  }
}

const gated = define("{name: gated, steps: [{id: a, type: gated}, {id: b, type: gated}]}");

describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  let proxy: TcpProxy;
  beforeEach(async () => {
    await engines.next();
    proxy = await TcpProxy.start(engines.url);
  });
  afterEach(async () => {
    proxy.thaw();
    await engines.close();
    await proxy.close();
  });
  afterAll(() => engines.clear());

  async function eventually(what: () => boolean | Promise<boolean>, withinMs = 12_000): Promise<void> {
    const until = performance.now() + withinMs;
    while (performance.now() < until) {
      if (await what()) return;
      await sleep(10);
    }
    throw new Error("it did not come about");
  }

  async function traceOf(engine: Engine, runId: string): Promise<readonly string[]> {
    const trace = await engine.store.readTrace(runId, 0, 1_000);
    return trace.filter(({ step }) => step === 0).map(({ type, attempt }) => `${type} ${attempt}`);
  }

  test("a worker that nobody hears for longer than its lease loses its task, and its late result is dropped", async () => {
    const [slow, quick] = [new Gate(), new Gate()];
    quick.open();
    const zombie = await engines.engine({ store: proxy.url(engines.url), types: [slow.typeOf("late")], leaseMs });
    const other = await engines.engine({ types: [quick.typeOf("in time")], leaseMs });
    await zombie.work();
    const run = await other.start(gated);
    await eventually(() => slow.signals.length === 1);
    proxy.freeze();
    await sleep(leaseMs + 100);
    // Whoever begins to work sweeps at once.
    await other.work();
    const result = await run.result();
    proxy.thaw();
    slow.open();
    await sleep(300);
    expect(result).toMatchObject({ status: "completed", steps: { a: { output: "in time", attempts: 2 } } });
    expect(await other.inspect(run.id)).toMatchObject({
      steps: { a: { output: "in time" }, b: { output: "in time" } },
    });
    const trace = await traceOf(other, run.id);
    for (const type of ["task.lost 1", "task.completed 2", "step.completed 2"]) {
      expect(trace.filter((each) => each === type)).toHaveLength(1);
    }
    expect(trace).not.toContain("task.completed 1");
  });

  test("a worker whose heartbeats get no answer stops its attempts before their leases have ended", async () => {
    const gate = new Gate();
    const silent = await engines.engine({
      store: proxy.url(engines.url),
      types: [gate.typeOf("never")],
      leaseMs: 1_500,
    });
    await silent.work();
    await silent.start(gated);
    await eventually(() => gate.signals.length === 1);
    proxy.freeze();
    const frozenAt = performance.now();
    await sleep(1_600);
    // The last heartbeat that was answered was sent before this.
    expect(gate.abortedAt).toHaveLength(1);
    expect(gate.abortedAt[0]! - frozenAt).toBeLessThan(1_500);
    gate.open();
  });
});
