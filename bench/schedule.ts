import { createState, dueTimers, transition } from "@braid/core";
import type { Command, Plan } from "@braid/core";
import { planOf, randomGraph, writtenWorkflow } from "./graphs.ts";
import { randomNumbers } from "./random.ts";
import type { Measure } from "./measure.ts";

const CASES = [
  { size: 200, degree: 2, cap: 4 },
  { size: 1_000, degree: 3, cap: 8 },
  { size: 1_000, degree: 1, cap: 16 },
  { size: 3_000, degree: 3, cap: 32 },
];

/** Milliseconds of virtual time that a run takes when each step takes its duration. */
function makespan(plan: Plan, durations: readonly number[], cap: number): number {
  const state = createState(plan, "bench");
  const ranks = remainingPaths(plan, durations);
  const running: { step: number; attempt: number; endsAt: number }[] = [];
  let now = 0;
  const obey = (commands: readonly Command[]): void => {
    for (const command of commands) {
      if (command.type !== "startTask") continue;
      const { step, task, attempt } = command;
      obey(transition(plan, state, { type: "task.started", at: now, step, task, attempt }).commands);
      running.push({ step, attempt, endsAt: now + durations[step]! });
    }
  };
  transition(plan, state, { type: "run.create", at: 0, overrides: { maxConcurrent: cap } });
  obey(transition(plan, state, { type: "run.start", at: 0, ranks }).commands);
  while (running.length > 0) {
    running.sort((a, b) => b.endsAt - a.endsAt || b.step - a.step);
    const { step, attempt, endsAt } = running.pop()!;
    now = endsAt;
    for (const event of dueTimers(state, now)) obey(transition(plan, state, event).commands);
    obey(transition(plan, state, { type: "task.completed", at: now, step, task: -1, attempt }).commands);
  }
  return now;
}

/** Longest remaining path of each step in milliseconds: what past durations give the kernel. */
function remainingPaths(plan: Plan, durations: readonly number[]): readonly number[] {
  const paths = [...durations];
  for (let step = plan.steps.length - 1; step >= 0; step -= 1) {
    for (const edge of plan.steps[step]!.outgoing) {
      paths[step] = Math.max(paths[step]!, durations[step]! + paths[plan.edges[edge]!.to]!);
    }
  }
  return paths;
}

/** Makespan against the lower bound max(critical path, work / cap) on random graphs with known durations. */
export function measureSchedule(): readonly Measure[] {
  return CASES.map(({ size, degree, cap }, seed) => {
    const plan = planOf(writtenWorkflow(`schedule-${seed}`, randomGraph(size, degree, seed + 7)));
    const random = randomNumbers(seed + 1);
    const durations = plan.steps.map(() => 10 + Math.floor(random() * 990));
    const critical = Math.max(...remainingPaths(plan, durations));
    const bound = Math.max(critical, durations.reduce((sum, ms) => sum + ms, 0) / cap);
    const ratio = makespan(plan, durations, cap) / bound;
    return {
      name: `schedule, ${size.toLocaleString("en")} steps, up to ${degree} edges in, cap ${cap}`,
      figure: `${ratio.toFixed(3)} x the lower bound`,
      ratio: 1 / ratio,
    };
  });
}
