import type { RunEvent } from "../src/kernel/event.ts";
import { createState } from "../src/kernel/load.ts";
import { dueTimers } from "../src/kernel/timer.ts";
import { transition } from "../src/kernel/transition.ts";
import type { Transition } from "../src/kernel/transition-types.ts";
import { checkInvariants } from "../src/state/invariants.ts";
import type { RunState } from "../src/state/run-state.ts";
import { differences, viewOfKernel, viewOfModel } from "./compare.ts";
import { drive } from "./drive.ts";
import type { Course } from "./drive.ts";
import { NaiveModel } from "./naive-model.ts";

/** Drives kernel and model side by side and compares them after every event. */
export function driveBoth(course: Course): void {
  const { plan } = course;
  const state = createState(plan, "run-1");
  const model = new NaiveModel(plan);
  const apply = (event: RunEvent): Transition => {
    const done = transition(plan, state, event);
    const isApplied = model.apply(event);
    const problems = [...compareAnswers(event, done, isApplied), ...compareStates(state, model, done)];
    if (problems.length > 0) throw new Error(`kernel and model differ:\n  ${problems.join("\n  ")}`);
    checkInvariants(state);
    return done;
  };
  drive(course, apply, (host) => {
    if (state.run.status !== "running") return;
    const open = dueTimers(state, Infinity).map((event) => timerName(event));
    const set = [...host.timers.values()].map((timer) => timerName({ type: "timer.fired", ...timer }));
    if (open.toSorted().join() !== set.toSorted().join()) {
      throw new Error(`timers: commands leave ${set.join(" ")} | the rows ${open.join(" ")}`);
    }
    if (host.wakeAt !== state.run.wakeAt) throw new Error(`wakeAt: ${state.run.wakeAt}, timers say ${host.wakeAt}`);
  });
}

function timerName(event: RunEvent): string {
  return event.type === "timer.fired" ? `${event.timer}:${event.step}[${event.task}]` : event.type;
}

function compareAnswers(event: RunEvent, done: Transition, isApplied: boolean): string[] {
  // A rate timer that nobody needs any more may be known to the kernel alone.
  if (event.type === "timer.fired" && event.timer === "rate") return [];
  return isApplied === (done.ignored === null) ? [] : [`ignored: kernel ${done.ignored} | model ${!isApplied}`];
}

function compareStates(state: RunState, model: NaiveModel, { commands }: Transition): string[] {
  const admitted = commands.flatMap((command) =>
    command.type === "startTask" ? [`${command.step}[${command.task}]`] : [],
  );
  const expected = model.state.admitted.map(([step, task]) => `${step}[${task}]`);
  return [
    ...(admitted.join() === expected.join() ? [] : [`admitted: kernel ${admitted.join()} | model ${expected.join()}`]),
    ...differences(viewOfKernel(state), viewOfModel(model.state)),
  ];
}
