import { setTimeout as sleep } from "node:timers/promises";
import { describeEachServer } from "@braid/testbed/vitest";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Engine } from "../engine.ts";
import type { StepType } from "../steps/step-type.ts";
import { define } from "../testing/fixture.ts";
import { ScratchEngines } from "./scratch-engines.ts";

const counting: StepType = {
  name: "counting",
  run: async ({ input }) => ({ output: ((input as { n?: number }).n ?? 0) + 1 }),
};

const chain = define(`
name: chain
steps:
${Array.from({ length: 30 }, (_, step) => {
  const before = step === 0 ? "0" : `"\${{ steps.s${step - 1}.output }}"`;
  return `  - {id: s${step}, type: counting, with: {n: ${before}}}`;
}).join("\n")}
output: "\${{ steps.s29.output }}"
`);

const asking = define(`
name: asking
steps:
  - {id: go, signal: go}
  - {id: approve, approval: Really?}
  - {id: after, type: counting, with: {n: "\${{ steps.go.output.n }}"}}
output: "\${{ steps.after.output }}"
`);

/** What runs need of a server, from end to end, on every way to it: two processes, one that starts runs and one that works. */
describeEachServer((server) => {
  const engines = new ScratchEngines(server);
  let starter: Engine;
  beforeEach(async () => {
    await engines.next();
    const [first, second] = (await engines.engines(2, { types: [counting] })) as [Engine, Engine];
    starter = first;
    await second.work();
  });
  afterAll(() => engines.clear());

  test("a run of 30 steps hands each output to the next, and everybody hears of every event", async () => {
    const run = await starter.start(chain);
    const seen: unknown[] = [];
    for await (const event of run.events()) seen.push(event["seq"]);
    expect(await run.result()).toMatchObject({ status: "completed", output: 30 });
    expect(seen).toEqual(seen.map((_, index) => index + 1));
    expect(await starter.progress(run.id)).toMatchObject({ completedSteps: 30, percentage: 100 });
  });

  test("signals and approvals of one process wake runs of another", async () => {
    const run = await starter.start(asking);
    const began = performance.now();
    await starter.signal(run.id, "go", { n: 41 });
    await run.step("go").result();
    await starter.approve(run.id, "approve");
    expect(await run.result()).toMatchObject({ status: "completed", output: 42 });
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  test("a paused run stands still, and goes on when it is told to", async () => {
    const run = await starter.start(asking);
    await starter.pause(run.id);
    await starter.signal(run.id, "go", { n: 1 });
    await sleep(200);
    expect(await starter.inspect(run.id)).toMatchObject({ status: "paused", steps: { after: { status: "pending" } } });
    await starter.resume(run.id);
    await starter.approve(run.id, "approve");
    expect(await run.result()).toMatchObject({ status: "completed", output: 2 });
  });

  test("a run that was canceled while it waited ends, and can be repeated", async () => {
    const run = await starter.start(asking);
    await run.cancel();
    expect(await run.result()).toMatchObject({ status: "canceled" });
    await starter.retry(run.id);
    await starter.signal(run.id, "go", { n: 5 });
    await starter.approve(run.id, "approve");
    expect(await run.result()).toMatchObject({ status: "completed", output: 6, epoch: 2 });
  });
});
