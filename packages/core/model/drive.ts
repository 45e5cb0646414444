import type { RunEvent } from "../src/kernel/event.ts";
import { createState } from "../src/kernel/load.ts";
import { transition } from "../src/kernel/transition.ts";
import type { Transition } from "../src/kernel/transition-types.ts";
import type { Plan } from "../src/plan/plan.ts";
import { checkInvariants } from "../src/state/invariants.ts";
import type { RunState } from "../src/state/run-state.ts";
import { differences, viewOfKernel, viewOfModel } from "./compare.ts";
import { Choices, Host } from "./host.ts";
import { NaiveModel } from "./naive-model.ts";

export interface Course {
  readonly plan: Plan;
  readonly events: RunEvent[];
  readonly state: RunState;
}

const MAX_EVENTS = 1500;

/** Drives kernel and model side by side through one schedule, and compares them after every event. */
export function driveBoth(
  plan: Plan,
  numbers: readonly number[],
  options = { allowsCancel: true, allowsPause: true, maxRetries: 2 },
): Course {
  const state = createState(plan, "run-1");
  const model = new NaiveModel(plan);
  const host = new Host(plan, new Choices(numbers), options);
  const events: RunEvent[] = [];
  const apply = (event: RunEvent): Transition => {
    events.push(event);
    try {
      const done = transition(plan, state, event);
      host.carryOut(done.commands);
      compare({ state, model, event, done, host });
      return done;
    } catch (error) {
      throw describeCourse(plan, events, error);
    }
  };
  apply({ type: "run.create", at: host.now });
  apply({ type: "run.start", at: host.now });
  for (;;) {
    const event = host.isFinished ? host.retry() : host.next();
    if (event === null && host.isFinished) break;
    if (event === null)
      throw describeCourse(plan, events, new Error("nothing can happen any more, and the run is not over"));
    const { ignored } = apply(event);
    if (event.type === "run.retry" && ignored !== null) host.isFinished = true;
    if (events.length > MAX_EVENTS) throw describeCourse(plan, events, new Error("the run does not end"));
  }
  return { plan, events, state };
}

interface Step {
  readonly state: RunState;
  readonly model: NaiveModel;
  readonly event: RunEvent;
  readonly done: Transition;
  readonly host: Host;
}

function compare({ state, model, event, done, host }: Step): void {
  const isApplied = model.apply(event);
  const problems: string[] = [];
  const isRate = event.type === "timer.fired" && event.timer === "rate";
  if (!isRate && isApplied !== (done.ignored === null))
    problems.push(`kernel ignored ${done.ignored} | model applied ${isApplied}`);
  const admitted = done.commands.flatMap((command) =>
    command.type === "startTask" ? [[command.step, command.task]] : [],
  );
  if (JSON.stringify(admitted) !== JSON.stringify(model.state.admitted)) {
    problems.push(`kernel admitted ${JSON.stringify(admitted)} | model ${JSON.stringify(model.state.admitted)}`);
  }
  problems.push(...differences(viewOfKernel(state), viewOfModel(model.state)));
  if (!host.isPaused && !host.isFinished && host.wakeAt !== state.run.wakeAt) {
    problems.push(`timers set: earliest ${host.wakeAt} | wakeAt ${state.run.wakeAt}`);
  }
  if (problems.length > 0)
    throw new Error(`kernel and model differ after ${JSON.stringify(event)}\n  ${problems.join("\n  ")}`);
  checkInvariants(state);
}

/** An error that tells the whole story: the plan in short, the events, and what went wrong at the end. */
export function describeCourse(plan: Plan, events: readonly RunEvent[], error: unknown): Error {
  const lines = [...describePlan(plan), ...events.map((event) => JSON.stringify(event))];
  return new Error(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${lines.join("\n")}`, {
    cause: error,
  });
}

export function describePlan(plan: Plan): string[] {
  const usual: Record<string, unknown> = {
    hidden: false,
    isMap: false,
    body: null,
    whenUnmet: "skip",
    onError: "fail",
    priority: 0,
    rank: 1,
    evaluates: false,
    evaluatesItems: false,
    startDelayMs: 0,
    sleepMs: 0,
    timeoutMs: null,
    deadlineMs: null,
    signal: null,
    slots: 0,
    scope: 0,
  };
  const left = ["index", "name", "host", "incoming", "outgoing", "id", "kind", "join", "retry"];
  const steps = plan.steps.map((step) => {
    const rest = Object.entries(step).filter(([key, value]) => !left.includes(key) && usual[key] !== value);
    const join =
      step.join.kind === "all"
        ? ""
        : ` join=${step.join.kind}${step.join.quorum || ""}${step.join.cancelRest ? "!" : ""}`;
    const retry = step.retry.maxAttempts === 1 ? "" : ` retry=${step.retry.maxAttempts}x${step.retry.delayMs}`;
    return `${step.index} ${step.id} ${step.kind}${join}${retry} ${rest.map(([key, value]) => `${key}=${String(value)}`).join(" ")}`;
  });
  const edges = plan.edges.map(
    ({ index, from, to, on, port }) => `edge ${index}: ${from} -> ${to} ${on} ${port ?? ""}`,
  );
  const scopes = plan.scopes.map((scope) => `scope ${JSON.stringify(scope)}`);
  return [...steps, ...edges, ...scopes, `phases ${JSON.stringify(plan.phases)} output ${plan.hasOutput}`];
}
