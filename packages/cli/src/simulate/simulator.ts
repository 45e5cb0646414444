import { createState, transition } from "@braid/core";
import type { Command, Plan, RunEvent, RunOverrides, RunState, TraceEvent } from "@braid/core";
import { Agenda } from "./agenda.ts";
import { durationOf, failsAt, itemsOf } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/**
 * A host of the kernel with virtual time: commands become entries of an agenda, and the agenda's next entry becomes the
 * next event. It decides nothing itself, so what it shows is what a run would do with these durations.
 *
 * A worker is always there: an attempt starts in the instant in which it was admitted.
 */
export interface Simulation {
  readonly state: RunState;
  readonly trace: readonly TraceEvent[];
  /** False: the run waits for something that will never come; that is a fault of the kernel. */
  readonly isOver: boolean;
  /** Most attempts that ran at the same time. */
  readonly peak: number;
  /** Milliseconds that all attempts together ran. */
  readonly workMs: number;
}

interface Host {
  readonly plan: Plan;
  readonly scenario: Scenario;
  readonly agenda: Agenda<RunEvent>;
  /** Start of each running attempt. */
  readonly running: Map<string, number>;
  workMs: number;
}

export const simulatedRunId = "simulation";

/** Runs the plan from its start to its end. */
export function simulate(plan: Plan, scenario: Scenario, overrides: RunOverrides = {}): Simulation {
  const host: Host = { plan, scenario, agenda: new Agenda(), running: new Map(), workMs: 0 };
  const state = createState(plan, simulatedRunId);
  const trace: TraceEvent[] = [];
  let peak = 0;
  let isOver = false;
  host.agenda.put(0, { type: "run.create", at: 0, overrides });
  host.agenda.put(0, { type: "run.start", at: 0 });
  for (let entry = host.agenda.take(); entry !== undefined && !isOver; entry = host.agenda.take()) {
    observe(host, entry.value);
    const { trace: events, commands } = transition(plan, state, entry.value);
    trace.push(...events);
    for (const command of commands) carryOut(host, command, entry.at);
    isOver = commands.some((command) => command.type === "finishRun");
    peak = Math.max(peak, host.running.size);
  }
  return { state, trace, isOver, peak, workMs: host.workMs };
}

/** Keeps count of what runs. */
function observe(host: Host, event: RunEvent): void {
  if (event.type === "task.started") host.running.set(taskKey(event), event.at);
  else if (event.type === "task.completed" || event.type === "task.failed" || event.type === "task.canceled")
    endAttempt(host, event, event.at);
}

function endAttempt(host: Host, task: TaskName, at: number): void {
  const startedAt = host.running.get(taskKey(task));
  if (startedAt === undefined) return;
  host.workMs += at - startedAt;
  host.running.delete(taskKey(task));
}

function carryOut(host: Host, command: Command, at: number): void {
  const { agenda } = host;
  switch (command.type) {
    case "evaluate":
      agenda.put(at, evaluation(host, command, at));
      break;
    case "startTask":
      agenda.put(at, { type: "task.started", ...taskOf(command), at }, `start ${taskKey(command)}`);
      planEnd(host, command, at);
      break;
    case "cancelTask":
      cancelTask(host, command, at);
      break;
    case "closeTask":
      agenda.cancel(`end ${taskKey(command)}`);
      endAttempt(host, command, at);
      break;
    case "setTimer":
      agenda.put(
        command.at,
        { type: "timer.fired", step: command.step, task: command.task, timer: command.timer, at: command.at },
        timerKey(command),
      );
      break;
    case "clearTimer":
      agenda.cancel(timerKey(command));
      break;
    case "awaitSignal":
      planSignal(host, command, at);
      break;
    case "forgetSignal":
      agenda.cancel(`signal ${taskKey(command)}`);
      break;
    case "startChild":
      planChild(host, command, at);
      break;
    case "cancelChild":
      agenda.put(at, { type: "child.settled", ...taskOf(command), status: "canceled", at }, `end ${taskKey(command)}`);
      break;
    case "finishRun":
      break;
    default:
      command satisfies never;
  }
}

/** Conditions hold and maps have a few items unless the scenario says otherwise; delays are those of the plan. */
function evaluation(host: Host, command: { readonly step: number; readonly task: number }, at: number): RunEvent {
  if (command.step < 0) return { type: "run.evaluated", at };
  const step = host.plan.steps[command.step]!;
  const when = host.scenario.steps.get(step.id)?.when ?? true;
  const isMap = step.isMap && command.task < 0;
  return {
    type: "step.evaluated",
    step: command.step,
    task: command.task,
    when,
    at,
    ...(isMap ? { items: itemsOf(host.scenario, step) } : {}),
  };
}

function planEnd(host: Host, task: TaskName & { readonly attempt: number }, at: number): void {
  const step = host.plan.steps[task.step]!;
  const takesMs = durationOf(host.scenario, step, Math.max(0, task.task));
  const limitMs = step.timeoutMs;
  const isTooLong = limitMs !== null && takesMs > limitMs;
  const end = at + (isTooLong ? limitMs : takesMs);
  const name = taskOf(task);
  const error = isTooLong
    ? { code: "timeout", message: "the attempt took too long" }
    : { code: "exit_code", message: "simulated failure" };
  const isFailure = isTooLong || failsAt(host.scenario, step, task.attempt);
  const event: RunEvent = isFailure
    ? { type: "task.failed", ...name, error, at: end }
    : { type: "task.completed", ...name, at: end };
  host.agenda.put(end, event, `end ${taskKey(task)}`);
}

/** An attempt that has not started yet is withdrawn; a running one stops at once. */
function cancelTask(
  host: Host,
  command: TaskName & { readonly attempt: number; readonly ifQueued: boolean },
  at: number,
): void {
  const wasWithdrawn = host.agenda.cancel(`start ${taskKey(command)}`);
  if (!wasWithdrawn && command.ifQueued) return;
  host.agenda.cancel(`end ${taskKey(command)}`);
  host.agenda.put(at, { type: "task.canceled", ...taskOf(command), started: !wasWithdrawn, at });
}

function planSignal(host: Host, command: TaskName & { readonly name: string }, at: number): void {
  const step = host.plan.steps[command.step]!;
  const end = at + durationOf(host.scenario, step, Math.max(0, command.task));
  const isRejected = host.scenario.steps.get(step.id)?.fails === true;
  const verdict = step.kind === "signal" ? "signal" : isRejected ? "rejected" : "approved";
  const { step: index, task, name } = command;
  host.agenda.put(
    end,
    { type: "signal.received", step: index, task, name, verdict, at: end },
    `signal ${taskKey(command)}`,
  );
}

function planChild(host: Host, command: TaskName & { readonly attempt: number }, at: number): void {
  const step = host.plan.steps[command.step]!;
  const end = at + durationOf(host.scenario, step, Math.max(0, command.task));
  const status = failsAt(host.scenario, step, command.attempt) ? "failed" : "completed";
  host.agenda.put(end, { type: "child.settled", ...taskOf(command), status, at: end }, `end ${taskKey(command)}`);
}

interface TaskName {
  readonly step: number;
  readonly task: number;
}

function taskOf({
  step,
  task,
  attempt,
}: TaskName & { readonly attempt: number }): TaskName & { readonly attempt: number } {
  return { step, task, attempt };
}

function taskKey({ step, task }: TaskName): string {
  return `${step}/${task}`;
}

function timerKey({ step, task, timer }: TaskName & { readonly timer: string }): string {
  return `timer ${step}/${task}/${timer}`;
}
