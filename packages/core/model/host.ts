import type { Command } from "../src/kernel/command.ts";
import type { RunEvent, TimerKind } from "../src/kernel/event.ts";
import type { StepError } from "../src/kernel/status.ts";
import type { Plan } from "../src/plan/plan.ts";
import type { Choices } from "./choices.ts";

/**
 * A host without workers: it keeps what the kernel's commands left open and, asked for the next event, picks one that a
 * real host could report. Numbers decide; a zero picks the plainest thing, so that a shrunk schedule is a plain one.
 */
export class Host {
  readonly evaluations: { step: number; task: number }[] = [];
  readonly attempts = new Map<string, HostAttempt>();
  readonly timers = new Map<string, HostTimer>();
  readonly signals = new Map<string, { step: number; task: number; name: string }>();
  readonly children = new Map<string, { step: number; task: number; attempt: number; isCanceled: boolean }>();
  isFinished = false;
  isPaused = false;
  now = 1000;
  #stage: "none" | "created" | "started" = "none";
  #retries = 0;
  readonly #plan: Plan;
  readonly #choices: Choices;
  readonly #options: HostOptions;

  constructor(plan: Plan, choices: Choices, options: HostOptions) {
    this.#plan = plan;
    this.#choices = choices;
    this.#options = options;
  }

  /** The event has been applied, or was ignored. Either way what it reports is off the books. */
  told(event: RunEvent, isApplied: boolean): void {
    switch (event.type) {
      case "run.create":
        this.#stage = "created";
        return;
      case "run.start":
        this.#stage = "started";
        return;
      case "step.evaluated":
      case "run.evaluated":
        this.evaluations.shift();
        return;
      case "timer.fired":
        this.timers.delete(timerKey(event));
        return;
      case "child.settled":
        this.children.delete(keyOf(event));
        return;
      default:
        if (isApplied) this.#control(event);
    }
  }

  #control(event: RunEvent): void {
    if (event.type === "run.cancel" || event.type === "run.resume") this.isPaused = false;
    if (event.type === "run.pause") this.isPaused = true;
    if (event.type !== "run.retry") return;
    this.isFinished = false;
    this.#stage = "started";
  }

  /** Takes over what a transition asked for. */
  carryOut(commands: readonly Command[]): void {
    for (const command of commands) this.#carryOut(command);
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case "evaluate":
        this.evaluations.push({ step: command.step, task: command.task });
        return;
      case "startTask":
        this.attempts.set(keyOf(command), { ...idOf(command), isStarted: false, cancel: "none" });
        return;
      case "cancelTask": {
        const attempt = this.attempts.get(keyOf(command));
        if (attempt === undefined) throw new Error(`cancelTask of an attempt that is not open: ${keyOf(command)}`);
        if (attempt.isStarted) attempt.cancel = command.ifQueued ? attempt.cancel : "stop";
        else attempt.cancel = command.ifQueued && attempt.cancel !== "asked" ? "asked_if_queued" : "asked";
        return;
      }
      case "closeTask":
        if (!this.attempts.delete(keyOf(command))) throw new Error(`closeTask of a closed attempt: ${keyOf(command)}`);
        return;
      case "setTimer":
        this.timers.set(timerKey(command), {
          step: command.step,
          task: command.task,
          timer: command.timer,
          at: command.at,
        });
        return;
      case "clearTimer":
        this.timers.delete(timerKey(command));
        return;
      case "awaitSignal":
        this.signals.set(`${command.step}:${command.task}`, {
          step: command.step,
          task: command.task,
          name: command.name,
        });
        return;
      case "forgetSignal":
        if (this.signals.delete(`${command.step}:${command.task}`)) return;
        throw new Error("forgetSignal of a signal nobody awaits");
      case "startChild":
        this.children.set(keyOf(command), { ...idOf(command), isCanceled: false });
        return;
      case "cancelChild": {
        const child = this.children.get(keyOf(command));
        if (child === undefined) throw new Error(`cancelChild of a child that is not open: ${keyOf(command)}`);
        child.isCanceled = true;
        return;
      }
      case "finishRun":
        this.isFinished = true;
        this.timers.clear();
        this.evaluations.length = 0;
        return;
      default:
        command satisfies never;
    }
  }

  /** The next event; null when the run has ended for good, or when there is nothing left that anyone could report. */
  next(): RunEvent | null {
    if (this.isFinished) return this.#retry();
    const [evaluation] = this.evaluations;
    if (evaluation !== undefined) return this.#answer(evaluation);
    this.now += [0, 0, 1, 5, 17, 40][this.#choices.pick(6)]!;
    if (this.#stage === "none") return this.#create();
    const interruption = this.#interrupt();
    if (interruption !== null) return interruption;
    if (this.#stage === "created") return this.#start();
    const asked = [...this.attempts.values()].filter(
      ({ cancel }) => cancel === "asked" || cancel === "asked_if_queued",
    );
    if (asked.length > 0 && this.#choices.pick(5) !== 4) return this.#answerCancel(asked[0]!);
    return this.#report() ?? (this.isPaused ? { type: "run.resume", at: this.now } : null);
  }

  #create(): RunEvent {
    const overrides = [{}, { maxConcurrent: 2 }, { mode: "continue" as const }, { timeoutMs: 90 }];
    const choice = this.#options.outcomes === null ? this.#choices.pick(12) : 0;
    return { type: "run.create", at: this.now, ...(choice < 8 ? {} : { overrides: overrides[choice - 8]! }) };
  }

  #start(): RunEvent {
    if (this.#choices.pick(4) !== 3) return { type: "run.start", at: this.now };
    const ranks = this.#plan.steps.map(() => this.#choices.pick(5));
    return { type: "run.start", at: this.now, ranks, ranksId: "ranks-1" };
  }

  /** What a person does to the run, now and then. */
  #interrupt(): RunEvent | null {
    const { allowsCancel, allowsPause } = this.#options;
    const at = this.now;
    if (this.isPaused && this.#choices.pick(4) === 3) return { type: "run.resume", at };
    switch (this.#choices.pick(60)) {
      case 59:
        return allowsCancel ? { type: "run.cancel", at } : null;
      case 58:
        return allowsPause ? { type: "run.pause", at } : null;
      case 57:
        return allowsPause ? { type: "run.resume", at } : null;
      default:
        return null;
    }
  }

  /** A retry of the run that has ended, or null when it stays as it is. */
  #retry(): RunEvent | null {
    const choices = this.#choices;
    if (this.#retries >= this.#options.maxRetries || choices.pick(4) === 0) return null;
    this.#retries += 1;
    this.now += 10;
    const step = choices.pick(this.#plan.steps.length);
    const base = { type: "run.retry", at: this.now } as const;
    return [base, { ...base, from: step }, { ...base, only: step }][choices.pick(3)]!;
  }

  #answer({ step, task }: { step: number; task: number }): RunEvent {
    const at = this.now;
    const choices = this.#choices;
    if (step === -1) {
      return choices.pick(4) === 3 ? { type: "run.evaluated", at, error: FAILED } : { type: "run.evaluated", at };
    }
    const { outcomes } = this.#options;
    if (outcomes !== null) return { type: "step.evaluated", at, step, task, items: outcomes[step % outcomes.length]! };
    const answer = choices.pick(10);
    if (answer === 9) return { type: "step.evaluated", at, step, task, error: UNANSWERED };
    const isMap = this.#plan.steps[step]!.isMap && task === -1;
    if (task === -1 && answer > 6) return { type: "step.evaluated", at, step, task, when: false };
    const items = isMap ? { items: [2, 0, 1, 3, 4, 5][choices.pick(6)]! } : {};
    const times = choices.pick(12) === 11 ? { sleepMs: 15, deadlineMs: 60 } : {};
    const delay = choices.pick(12) === 11 && task === -1 ? { startDelayMs: 12 } : {};
    return { type: "step.evaluated", at, step, task, when: true, ...items, ...times, ...delay };
  }

  #answerCancel(attempt: HostAttempt): RunEvent {
    const { step, task, attempt: number } = attempt;
    const base = { at: this.now, step, task, attempt: number };
    if (this.#choices.pick(3) < 2) return { type: "task.canceled", ...base, started: false };
    const isStopped = attempt.cancel === "asked";
    attempt.isStarted = true;
    attempt.cancel = isStopped ? "stop" : "none";
    return { type: "task.started", ...base };
  }

  #report(): RunEvent | null {
    const candidates: (() => RunEvent)[] = [
      ...[...this.attempts.values()].map((attempt) => () => this.#reportAttempt(attempt)),
      ...[...this.children.values()].map((child) => () => this.#reportChild(child)),
      ...[...this.signals.values()].map((signal) => () => this.#reportSignal(signal)),
    ];
    const due = [...this.timers.values()].toSorted((a, b) => a.at - b.at);
    if (!this.isPaused && due.length > 0) candidates.push(() => this.#fire(due[0]!));
    if (candidates.length === 0) return null;
    return candidates[this.#choices.pick(candidates.length)]!();
  }

  #reportAttempt(attempt: HostAttempt): RunEvent {
    const { step, task, attempt: number } = attempt;
    const base = { at: this.now, step, task, attempt: number };
    const choices = this.#choices;
    if (!attempt.isStarted && choices.pick(2) === 0) {
      attempt.isStarted = true;
      if (attempt.cancel === "asked") attempt.cancel = "stop";
      else if (attempt.cancel === "asked_if_queued") attempt.cancel = "none";
      return { type: "task.started", ...base };
    }
    if (this.#options.outcomes !== null) return this.#plainResult(attempt, this.#options.outcomes);
    const outcome = choices.pick(10);
    if (attempt.cancel === "stop" && outcome < 5) return { type: "task.canceled", ...base, started: true };
    if (outcome === 9) return { type: "task.lost", ...base };
    if (outcome < 6) {
      const ports = choices.pick(4);
      if (ports === 0) return { type: "task.completed", ...base };
      return { type: "task.completed", ...base, activePorts: [["left"], ["left", "right"], []][ports - 1]! };
    }
    const detail = choices.pick(8);
    if (detail === 7) return { type: "task.failed", ...base, error: FAILED, retryable: false };
    if (detail === 6) return { type: "task.failed", ...base, error: FAILED, retryAfterMs: 11 };
    if (detail === 4) return { type: "task.failed", ...base, error: { code: "handler_error", message: "" } };
    if (detail === 5) return { type: "task.failed", ...base, error: { code: "input_unresolved", message: "" } };
    return { type: "task.failed", ...base, error: FAILED };
  }

  /** A result that hangs on the step, the item and the attempt alone. */
  #plainResult({ step, task, attempt }: HostAttempt, outcomes: readonly number[]): RunEvent {
    const base = { at: this.now, step, task, attempt };
    const number = outcomes[(7 * step + 3 * task + attempt) % Math.max(1, outcomes.length)] ?? 0;
    return number % 3 < 2 ? { type: "task.completed", ...base } : { type: "task.failed", ...base, error: FAILED };
  }

  #reportChild(child: { step: number; task: number; attempt: number; isCanceled: boolean }): RunEvent {
    const { step, task, attempt, isCanceled } = child;
    const status = (["completed", "completed", "failed", "canceled"] as const)[this.#choices.pick(4)]!;
    const isObeyed = isCanceled && this.#choices.pick(3) < 2;
    return { type: "child.settled", at: this.now, step, task, attempt, status: isObeyed ? "canceled" : status };
  }

  #reportSignal(signal: { step: number; task: number; name: string }): RunEvent {
    const isApproval = this.#plan.steps[signal.step]!.kind === "approval";
    const verdict = !isApproval ? "signal" : this.#choices.pick(3) < 2 ? "approved" : "rejected";
    return { type: "signal.received", at: this.now, ...signal, verdict };
  }

  #fire(timer: HostTimer): RunEvent {
    this.now = Math.max(this.now, timer.at);
    return { type: "timer.fired", at: this.now, step: timer.step, task: timer.task, timer: timer.timer };
  }

  /** The earliest open timer; null without one. */
  get wakeAt(): number | null {
    const instants = [...this.timers.values()].map(({ at }) => at);
    return instants.length === 0 ? null : Math.min(...instants);
  }
}

const UNANSWERED: StepError = { code: "condition_error", message: "" };
const FAILED: StepError = { code: "exit_code", message: "it failed" };

export interface HostOptions {
  readonly allowsCancel: boolean;
  readonly allowsPause: boolean;
  readonly maxRetries: number;
  /** Numbers that decide how steps and items end, so that only the order of events is left to chance; null: all is. */
  readonly outcomes: readonly number[] | null;
}

interface HostAttempt {
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
  isStarted: boolean;
  cancel: "none" | "asked" | "asked_if_queued" | "stop";
}

interface HostTimer {
  readonly step: number;
  readonly task: number;
  readonly timer: TimerKind;
  readonly at: number;
}

interface OfTask {
  readonly step: number;
  readonly task: number;
  readonly attempt: number;
}

const idOf = ({ step, task, attempt }: OfTask): OfTask => ({ step, task, attempt });
const keyOf = ({ step, task, attempt }: OfTask): string => `${step}:${task}:${attempt}`;
const timerKey = ({ step, task, timer }: { step: number; task: number; timer: string }): string =>
  `${step}:${task}:${timer}`;
