import type { RunEvent } from "../src/kernel/event.ts";
import type { Transition } from "../src/kernel/transition-types.ts";
import type { Plan } from "../src/plan/plan.ts";
import { Choices } from "./choices.ts";
import { Host } from "./host.ts";
import type { HostOptions } from "./host.ts";

export interface Course {
  readonly plan: Plan;
  readonly numbers: readonly number[];
  readonly options: HostOptions;
}

export const EVERY_CONTROL: HostOptions = { allowsCancel: true, allowsPause: true, maxRetries: 2, outcomes: null };

const MAX_EVENTS = 1500;

/**
 * Takes a run from its creation to its end: the host picks events, `apply` applies them, and `afterwards` looks at a host
 * that has carried out the commands. Gives the events. A run that stands still or does not end is an error, and every
 * error tells the whole course.
 */
export function drive(
  { plan, numbers, options }: Course,
  apply: (event: RunEvent, host: Host) => Transition,
  afterwards: (host: Host) => void = () => {},
): readonly RunEvent[] {
  const host = new Host(plan, new Choices(numbers), options);
  const events: RunEvent[] = [];
  try {
    for (let event = host.next(); event !== null; event = host.next()) {
      events.push(event);
      const { commands, ignored } = apply(event, host);
      host.told(event, ignored === null);
      host.carryOut(commands);
      afterwards(host);
      if (events.length > MAX_EVENTS) throw new Error("the run does not end");
    }
    if (!host.isFinished) throw new Error("nothing can happen any more, and the run is not over");
  } catch (error) {
    throw describeCourse(plan, events, error);
  }
  return events;
}

/** An error that tells the whole story: the plan in short, the events, and what went wrong at the end. */
export function describeCourse(plan: Plan, events: readonly RunEvent[], error: unknown): Error {
  const lines = [...describePlan(plan), ...events.slice(0, 200).map((event) => JSON.stringify(event))];
  return new Error(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${lines.join("\n")}`, {
    cause: error,
  });
}

function describePlan(plan: Plan): string[] {
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
  const left = new Set(["index", "name", "host", "incoming", "outgoing", "id", "kind", "join", "retry"]);
  const steps = plan.steps.map((step) => {
    const rest = Object.entries(step).filter(([key, value]) => !left.has(key) && usual[key] !== value);
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
