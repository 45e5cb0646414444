import { createState, transition } from "@braid/core";
import type { Command, Plan } from "@braid/core";
import { planOf, randomGraph, writtenWorkflow } from "./graphs.ts";
import { best, machineSpeed } from "./measure.ts";
import type { Measure } from "./measure.ts";

const SIZES = [100, 1_000, 10_000, 100_000];

/** Runs a plan from start to end with immediate results; answers the number of task events. */
function drive(plan: Plan): number {
  const state = createState(plan, "bench");
  transition(plan, state, { type: "run.create", at: 1, overrides: { maxConcurrent: 64 } });
  const queue: Command[] = [...transition(plan, state, { type: "run.start", at: 1 }).commands];
  let events = 0;
  for (let head = 0; head < queue.length; head += 1) {
    const command = queue[head]!;
    if (command.type !== "startTask") continue;
    const { step, task, attempt } = command;
    for (const type of ["task.started", "task.completed"] as const) {
      queue.push(...transition(plan, state, { type, at: 2 + events, step, task, attempt }).commands);
      events += 1;
    }
  }
  if (state.run.status !== "completed") throw new Error(`the run ended ${state.run.status}`);
  return events;
}

/** Kernel events per second over random graphs of several sizes. */
export function measureKernel(): readonly Measure[] {
  const unit = machineSpeed();
  return SIZES.map((size) => {
    const plan = planOf(writtenWorkflow(`random-${size}`, randomGraph(size, 3)));
    let events = 0;
    const repeat = Math.max(1, Math.floor(10_000 / size));
    drive(plan);
    const ms = best(size > 10_000 ? 3 : 5, () => {
      events = 0;
      for (let round = 0; round < repeat; round += 1) events += drive(plan);
    });
    const rate = events / (ms / 1000);
    const figure = `${Math.round(rate).toLocaleString("en")} events/s, ${((ms * 1000) / events).toFixed(2)} µs each`;
    return { name: `kernel, ${size.toLocaleString("en")} steps`, figure, ratio: rate / unit };
  });
}
